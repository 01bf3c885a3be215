import pRetry from 'p-retry';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/transaction.js';
import { isConflict } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { activate } from './activate.js';
import type { Progress } from '../progress.js';
import { applyFile } from './apply-file.js';
import { readIntendedChanges } from './intended-changes.js';
import { assertOwner } from './owner.js';
import { functionsKey, readPlan } from './plan.js';
import { checksumOf, type SqlFile, type SqlFiles } from './sql-files.js';

export interface MigrateOptions {
  readonly files: SqlFiles;
  /** A new database gets Registry's launch schema first; a live one never is new. */
  readonly allowLaunchSchema: boolean;
  /** How long a statement may wait for a lock before everything it holds is given back. */
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  /** How far the scan of a table is. */
  readonly onScan?: (progress: Progress) => void;
}

/** The name of the advisory lock that keeps migrators apart, in the two-key space. */
const lockKey = [1_919_247_220, 101] as const;
const lockRetries = 120;

/**
 * Brings a database up to date: launch schema if it is empty, then each pending migration, then the
 * function bodies if they changed, then capture, rollups and views. Returns what it ran.
 *
 * Each step is one transaction that first takes an advisory lock and then looks again whether the
 * step is still due, so any number of migrators at once run each step once. A step that cannot get
 * a lock on Registry's tables in time gives everything back and tries again, so it never queues in
 * front of Registry's writers for longer than `lockTimeoutMs`.
 */
export async function migrate(database: Database, options: MigrateOptions): Promise<string[]> {
  const { files } = options;
  const applied: string[] = [];
  const step = async (name: string, run: (transaction: Transaction) => Promise<boolean>) => {
    if (await inLockedTransaction(database, name, options, run)) applied.push(name);
  };

  await assertOwner((text, values) => database.read(text, values));
  await step('sql/schema', (transaction) => applyLaunchSchema(transaction, options));
  for (const file of files.migrations) {
    await step(file.path, (transaction) => applyMigration(transaction, file, options));
  }
  const changes = await readIntendedChanges((text, values) => database.read(text, values));
  await step('sql/functions', (transaction) => replayFunctions(transaction, options));
  for (const change of changes) options.onProgress(`will change on purpose: ${change}`);
  return [...applied, ...(await activate(database, options))];
}

type StepOptions = Pick<MigrateOptions, 'files' | 'allowLaunchSchema' | 'onProgress'>;

export async function applyLaunchSchema(
  transaction: Transaction,
  { files, allowLaunchSchema, onProgress }: StepOptions,
): Promise<boolean> {
  const { needsLaunchSchema } = await readPlan(transaction.query, files);
  if (!needsLaunchSchema) return false;
  if (!allowLaunchSchema) {
    throw new AppError('NOT_REGISTRY', 'expected a database of Registry, found no table of it', {
      hint: 'check DB_NAME; the launch schema is only for development, test and docker',
    });
  }
  onProgress('sql/schema: new database, loading the launch schema');
  for (const file of files.schema) await applyFile(transaction, file);
  return true;
}

export async function applyMigration(
  transaction: Transaction,
  file: SqlFile,
  { files, onProgress }: StepOptions,
): Promise<boolean> {
  const plan = await readPlan(transaction.query, files);
  const state = plan.migrations.find((migration) => migration.file === file)?.state;
  if (state === 'applied') return false;
  onProgress(
    `${file.path}: ${state === 'half-way' ? 'was left half-way, running again' : 'running'}`,
  );
  await applyFile(transaction, file);
  await assertFinished(transaction, file);
  return true;
}

export async function replayFunctions(
  transaction: Transaction,
  { files, onProgress }: StepOptions,
): Promise<boolean> {
  const { functionsChanged } = await readPlan(transaction.query, files);
  if (!functionsChanged) return false;
  onProgress(`sql/functions: replaying ${files.functions.length} files`);
  // In the order of names, not of who calls whom.
  await transaction.query('set local check_function_bodies = off');
  for (const file of files.functions) await applyFile(transaction, file);
  await transaction.query(recordChecksum, [functionsKey, checksumOf(files.functions)]);
  return true;
}

const recordChecksum = `
  insert into public.ar_internal_metadata (key, value, created_at, updated_at)
  select $1::varchar, $2::varchar, moment, moment
  from pg_catalog.timezone('utc', pg_catalog.clock_timestamp()) as moment
  on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at`;

/** A file that forgot to set finished_at would run again for ever. */
async function assertFinished(transaction: Transaction, file: SqlFile): Promise<void> {
  const [row] = await transaction.query(
    'select from public.schema_migrations where version = $1 and finished_at is not null',
    [file.name],
  );
  if (row !== undefined) return;
  throw new AppError(
    'SQL_FILE_FAILED',
    `${file.path}: expected it to record version "${file.name}" with finished_at, found nothing`,
  );
}

async function inLockedTransaction(
  database: Database,
  name: string,
  { lockTimeoutMs, signal, onProgress }: MigrateOptions,
  run: (transaction: Transaction) => Promise<boolean>,
): Promise<boolean> {
  const timeouts = { statementTimeoutMs: 0, lockTimeoutMs };
  const attempt = () =>
    database.write({ ...timeouts, signal }, async (transaction) => {
      // Taken before the look at what is due: each statement of read committed sees what the
      // previous holder has committed. It waits at most lock_timeout, and goes with the transaction.
      await transaction.query('select pg_catalog.pg_advisory_xact_lock($1, $2)', [...lockKey]);
      return run(transaction);
    });
  const result = pRetry(attempt, {
    retries: lockRetries,
    minTimeout: 200,
    maxTimeout: 5_000,
    randomize: true,
    signal,
    shouldRetry: ({ error }) => isConflict(error),
    onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
      if (!isConflict(error) || retriesLeft === 0) return;
      onProgress(`${name}: ${error.message}; trying again (attempt ${attemptNumber + 1})`);
    },
  });
  return result.catch((error: unknown) => {
    throw isConflict(error) ? lockedError(name, error) : error;
  });
}

function lockedError(name: string, cause: unknown): AppError {
  return new AppError(
    'MIGRATION_LOCKED',
    `${name}: expected a lock within ${lockRetries} attempts, somebody held it all the time`,
    { hint: 'end the long transaction or the other migrate, and run it again', cause },
  );
}
