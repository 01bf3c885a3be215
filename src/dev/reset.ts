import type { Database } from '../db/database.js';
import type { Transaction } from '../db/transaction.js';
import { errorCodeOf, sqlstate } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { applyMigration, applyLaunchSchema, replayFunctions } from '../schema/migrate.js';
import {
  launchTables,
  materializedViews,
  plainViews,
  statisticsFunctions,
  statisticsTables,
} from '../jobs/registry-objects.js';
import { jobNames } from '../jobs/job.js';
import { progressNotices, type Progress } from '../progress.js';
import type { SqlFiles } from '../schema/sql-files.js';
import { loadFixtures } from './fixtures.js';
import { activateWithin } from '../schema/activate.js';
import { describeSampleData, generateSampleData } from './sample-data.js';

interface ResetOptions {
  readonly files: SqlFiles;
  /** The folder of `<table>.csv` files. */
  readonly fixtures: string;
  /** The number of generated files, with their objects and events, instead of fixtures. */
  readonly sampleFiles: number | undefined;
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  /** Receives the progress of a large table. */
  readonly onRows: (progress: Progress) => void;
}

/**
 * Recreates the database in one transaction: drops our objects and Registry's, then runs launch
 * schema, migrations, functions, rows, sequences and a first refresh. The caller must call
 * `assertResettable` first.
 */
export async function reset(database: Database, options: ResetOptions): Promise<void> {
  const { files, onProgress } = options;
  const step = { files, allowLaunchSchema: true, onProgress };
  const transactionOptions = {
    statementTimeoutMs: 0,
    lockTimeoutMs: options.lockTimeoutMs,
    signal: options.signal,
    onNotice: progressNotices(options.onRows),
  };
  await database.write(transactionOptions, async (transaction) => {
    onProgress('dropping the old objects');
    await dropAll(transaction);
    await applyLaunchSchema(transaction, step);
    for (const file of files.migrations) await applyMigration(transaction, file, step);
    await replayFunctions(transaction, step);
    await fill(transaction, options);
    await activateWithin(transaction);
    onProgress('first refresh');
    await firstRefresh(transaction);
  });
}

/** Drops without cascade in public: an object of others that depends on ours stops the reset. */
async function dropAll({ query }: Transaction): Promise<void> {
  try {
    await query(`drop view if exists ${inPublic(plainViews)}`);
    await query(`drop materialized view if exists ${inPublic(materializedViews)}`);
    await query(`drop function if exists ${inPublic(statisticsFunctions)}`);
    await query('drop schema if exists registry_stats cascade');
    await query(`drop table if exists ${inPublic([...launchTables, ...statisticsTables])}`);
  } catch (error) {
    if (errorCodeOf(error) !== sqlstate.dependentObjectsStillExist) throw error;
    const { detail = '' } = error as { detail?: string };
    throw new AppError(
      'RESET_REFUSED',
      `reset refused: found objects that are not ours: ${detail}`,
      {
        hint: 'drop them first; nothing was changed',
        cause: error,
      },
    );
  }
}

async function fill(transaction: Transaction, options: ResetOptions): Promise<void> {
  if (options.sampleFiles !== undefined) {
    options.onProgress(describeSampleData(options.sampleFiles));
    await generateSampleData(transaction, options.sampleFiles);
    return;
  }
  const counts = await loadFixtures(transaction, options.fixtures);
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  options.onProgress(`fixtures: ${rows} rows in ${counts.size} tables`);
}

/** Refreshes with recorded runs, so that the status shows when the figures were computed. */
async function firstRefresh({ query }: Transaction): Promise<void> {
  for (const job of jobNames) {
    await query(
      `select registry_stats.run_recorded(begun.id)
      from registry_stats.begin_run($1, 'command') as begun (id)
      where begun.id is not null`,
      [job],
    );
  }
}

function inPublic(names: readonly string[]): string {
  return names.map((name) => `public.${name}`).join(', ');
}
