import type { Database, Transaction } from '../db/database.js';
import { splitStatements } from '../db/split-statements.js';
import { applyFile } from '../migrations/apply-file.js';
import { functionsKey } from '../migrations/plan.js';
import type { SqlFile } from '../migrations/sql-files.js';
import { hasStatisticsSchema, sources, type Source } from './installation.js';
import { withRetries } from './rebuild.js';

export interface UninstallOptions {
  /** In their order: the database goes back to the first one, 001; the others are forgotten. */
  readonly migrations: readonly SqlFile[];
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/**
 * Goes back to the state of migration 001: views over full scans, with current figures, owner and
 * grants kept; 001's functions; no triggers, no schema registry_stats. A transaction a step, each
 * safe to run again: the long scans happen before any lock that a reader could notice, and no step
 * waits for a second table while it holds one. Gives whether there was something to do.
 */
export async function uninstall(database: Database, options: UninstallOptions): Promise<boolean> {
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return false;
  const [baseline, ...additions] = options.migrations;
  if (baseline === undefined) throw new Error('migration 001 is missing');
  const transaction = { ...options, statementTimeoutMs: 0 };
  options.onProgress('views over the tables: one scan each');
  await withRetries(options, () =>
    database.write(transaction, (open) => restoreViews(open, baseline)),
  );
  options.onProgress('triggers, functions and schema');
  const brief = { ...transaction, lockTimeoutMs: briefLockTimeoutMs };
  for (const source of sources) {
    await withRetries(options, () => database.write(brief, (open) => dropCapture(open, source)));
  }
  await withRetries(options, () =>
    database.write(brief, (open) => removeStatistics(open, baseline, additions)),
  );
  return true;
}

/** Less than deadlock_timeout (1 s): this gives way before a writer is ended for it. */
const briefLockTimeoutMs = 300;

/** Each view is filled beside the one in use, then takes its place. */
async function restoreViews({ query }: Transaction, baseline: SqlFile): Promise<void> {
  const [lock] = await query<{ taken: boolean }>('select registry_stats.try_lock() as taken');
  if (lock?.taken !== true) throw lockNotAvailable();
  const incremental = await query<{ name: string }>(
    'select name from registry_stats.view where is_incremental order by name',
  );
  for (const { name } of incremental) {
    await query(`${definitionOf(baseline, name)} with no data`);
    await query(`refresh materialized view registry_stats.${name}`);
  }
  for (const { name } of incremental) {
    await query('select registry_stats.replace_view($1)', [name]);
  }
  await query('update registry_stats.view set is_incremental = false, is_due = true');
}

/** 001's own text of a view, made in registry_stats instead of public. */
function definitionOf(baseline: SqlFile, view: string): string {
  const head = `create materialized view if not exists public.${view} as`;
  const statement = splitStatements(baseline.text).find(({ text }) => text.startsWith(head));
  if (statement === undefined) throw new Error(`${baseline.path} makes no view ${view}`);
  return statement.text.replace(head, `create materialized view registry_stats.${view} as`);
}

/** A table by itself, with its partitions: a writer that holds one of them may wait for another. */
async function dropCapture({ query }: Transaction, source: Source): Promise<void> {
  const triggers = await query<{ name: string; table: string }>(
    `select tgname as name, tgrelid::pg_catalog.regclass as table
    from pg_catalog.pg_trigger
    where pg_catalog.starts_with(tgname, 'registry_stats_')
      and tgparentid = 0
      and tgrelid in (
        select pg_catalog.to_regclass($1)
        union
        select relid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))
      )
    order by 2, 1`,
    [`public.${source}`],
  );
  for (const { name, table } of triggers) await query(`drop trigger ${name} on ${table}`);
}

async function removeStatistics(
  transaction: Transaction,
  baseline: SqlFile,
  additions: readonly SqlFile[],
): Promise<void> {
  const { query } = transaction;
  await applyFile(transaction, baseline);
  await query('drop schema registry_stats cascade');
  await query('delete from public.ar_internal_metadata where key = $1', [functionsKey]);
  await query('delete from public.schema_migrations where version = any ($1)', [
    additions.map(({ name }) => name),
  ]);
}

function lockNotAvailable(): Error {
  return Object.assign(new Error('a refresh or a rebuild is running'), { code: '55P03' });
}
