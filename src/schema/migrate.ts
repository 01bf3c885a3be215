import pRetry from 'p-retry';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/transaction.js';
import { describeFailure, isConflict } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { activate } from './activate.js';
import type { Progress } from '../progress.js';
import { applyFile } from './apply-file.js';
import { assertLaunchSchemaAllowed, checkMigration } from './check-migration.js';
import { readIntendedChanges } from './intended-changes.js';
import { functionsKey, readPlan } from './plan.js';
import { checksumOf, type SqlFile, type SqlFiles } from './sql-files.js';

export interface MigrateOptions {
  readonly files: SqlFiles;
  /** Whether an empty database gets Registry's launch schema. Never true when live. */
  readonly allowLaunchSchema: boolean;
  /** How long a statement may wait for a lock before its transaction rolls back. */
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  /** Receives the progress of a table scan. */
  readonly onScan?: (progress: Progress) => void;
}

/** The advisory lock that serializes migrations, in the two-key space. */
const lockKey = [1_919_247_220, 101] as const;
const lockRetries = 120;

/**
 * Updates a database: the launch schema if it is empty, each pending migration, changed functions,
 * then capture, rollups and views. Returns what it ran.
 *
 * Each step is one transaction. It takes an advisory lock, then checks again whether the step is
 * still due, so concurrent migrators run each step once. A step that cannot lock Registry's tables
 * in time rolls back and retries. So it blocks Registry's writers for `lockTimeoutMs` at most.
 */
export async function migrate(database: Database, options: MigrateOptions): Promise<string[]> {
  const { files } = options;
  const applied: string[] = [];
  const step = async (name: string, run: (transaction: Transaction) => Promise<boolean>) => {
    if (await inLockedTransaction(database, name, options, run)) applied.push(name);
  };

  await checkMigration(database, options);
  await step('sql/schema', (transaction) => applyLaunchSchema(transaction, options));
  for (const file of files.migrations) {
    await step(file.path, (transaction) => applyMigration(transaction, file, options));
  }
  const changes = await readIntendedChanges((text, values) => database.read(text, values));
  await step('sql/functions', (transaction) => replayFunctions(transaction, options));
  for (const change of changes) options.onProgress(`intended change: ${change}`);
  return [...applied, ...(await activate(database, options))];
}

type StepOptions = Pick<MigrateOptions, 'files' | 'allowLaunchSchema' | 'onProgress'>;

export async function applyLaunchSchema(
  transaction: Transaction,
  { files, allowLaunchSchema, onProgress }: StepOptions,
): Promise<boolean> {
  const plan = await readPlan(transaction.query, files);
  if (!plan.needsLaunchSchema) return false;
  assertLaunchSchemaAllowed(plan, allowLaunchSchema);
  onProgress('sql/schema: a new database, creating the tables of Registry');
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
  onProgress(`${file.path}: ${state === 'incomplete' ? 'incomplete, running again' : 'running'}`);
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
  onProgress(`sql/functions: creating the functions of ${files.functions.length} files`);
  // Files run by name, so a function may call one that is created later.
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

/** Fails for a file that did not set finished_at: it would run again each time. */
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
      // Taken before the check: each statement of read committed sees what the previous holder
      // committed. The lock waits up to lock_timeout, and ends with the transaction.
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
      onProgress(`${name}: ${describeFailure(error)}; trying again (attempt ${attemptNumber + 1})`);
    },
  });
  return result.catch((error: unknown) => {
    throw isConflict(error) ? lockedError(name, error) : error;
  });
}

function lockedError(name: string, cause: unknown): AppError {
  return new AppError(
    'MIGRATION_LOCKED',
    `${name}: expected a lock within ${lockRetries} attempts, another session held it: ${describeFailure(cause)}`,
    { hint: 'end the long transaction or the other migration, then run migrate again', cause },
  );
}
