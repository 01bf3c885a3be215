import path from 'node:path';
import type { Config } from '../config/config.js';
import { AppError } from '../errors.js';
import { applyFile } from '../schema/apply-file.js';
import { progressNotices, type Progress } from '../progress.js';
import { readSqlFile, sqlRoot } from '../schema/sql-files.js';
import type { Database } from '../db/database.js';
import type { Transaction } from '../db/transaction.js';

export const defaultFiles = 200_000;

interface SampleDataContext {
  readonly config: Config;
  readonly database: Database;
  readonly signal: AbortSignal;
}

interface SampleDataOptions {
  readonly onProgress: (message: string) => void;
  /** Receives the progress of a large table. */
  readonly onRows: (progress: Progress) => void;
}

/**
 * Fills an empty development database with `files` generated files and three times as many events.
 * Returns false, and changes nothing, if there are rows already.
 * @throws AppError SAMPLE_DATA_REFUSED in a live environment
 */
export async function loadSampleData(
  context: SampleDataContext,
  files: number,
  { onProgress, onRows }: SampleDataOptions,
): Promise<boolean> {
  assertSampleDataAllowed(context.config);
  const { lockMs: lockTimeoutMs } = context.config.timeouts;
  const options = {
    statementTimeoutMs: 0,
    lockTimeoutMs,
    signal: context.signal,
    onNotice: progressNotices(onRows),
  };
  return context.database.write(options, async (transaction) => {
    if (await hasRows(transaction)) return false;
    onProgress(describeSampleData(files));
    await generateSampleData(transaction, files);
    return true;
  });
}

/** @throws AppError SAMPLE_DATA_REFUSED in a live environment */
export function assertSampleDataAllowed({ isLive, aptEnv }: Config): void {
  if (!isLive) return;
  throw new AppError(
    'SAMPLE_DATA_REFUSED',
    `expected an environment for development, found APT_ENV ${aptEnv}`,
  );
}

export function describeSampleData(files: number): string {
  const grouped = (count: number): string => count.toLocaleString('en-US');
  return `generating sample data: ${grouped(files)} files, ${grouped(files * 3)} events`;
}

/** Generates the rows in the caller's transaction. The tables must be empty. */
export async function generateSampleData(transaction: Transaction, files: number): Promise<void> {
  await transaction.query(`select pg_catalog.set_config('registry_stats.sample_files', $1, true)`, [
    String(files),
  ]);
  await applyFile(transaction, await readSqlFile(path.join(sqlRoot, 'dev/sample_data.sql')));
}

async function hasRows({ query }: Transaction): Promise<boolean> {
  const [row] = await query<{ any: boolean }>(
    `select exists (select from public.institutions)
      or exists (select from public.intellectual_objects)
      or exists (select from public.generic_files)
      or exists (select from public.premis_events) as any`,
  );
  return row?.any === true;
}
