import { sqlstate } from '../db/sqlstate.js';
import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import type { Transaction } from '../db/transaction.js';
import { AppError } from '../errors.js';
import { functionsKey } from './plan.js';
import { statisticsFunctions } from '../jobs/registry-objects.js';
import type { SqlFile } from './sql-files.js';
import { hasStatisticsSchema, readSources } from '../statistics/installation.js';
import { withRetries } from '../statistics/rebuild.js';

interface UninstallOptions {
  /** All of them; those that are ours, 101 onward, are forgotten. */
  readonly migrations: readonly SqlFile[];
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
}

/**
 * Restores Registry's views and functions. The views keep their figures and all that people have put
 * on them. Removes the triggers and the schema registry_stats. Each step is a transaction, safe to run
 * again. The long scans come before any lock that a reader could notice, and no step waits for a
 * second table while it holds one. Returns whether there was something to do.
 * @throws AppError DEPENDENT_OBJECTS, before any change, if other objects depend on ours
 */
export async function uninstall(database: Database, options: UninstallOptions): Promise<boolean> {
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return false;
  await assertNoDependents(database);
  const transaction = { ...options, statementTimeoutMs: 0 };
  options.onProgress('views over the tables: one scan each');
  await withRetries(options, () => database.write(transaction, restoreViews));
  options.onProgress('triggers, functions and schema');
  const brief = { ...transaction, lockTimeoutMs: briefLockTimeoutMs };
  const sources = await readSources((text, values) => database.read(text, values));
  for (const source of sources) {
    await withRetries(options, () =>
      database.write(brief, ({ query }) => query('select registry_stats.detach($1)', [source])),
    );
  }
  const ours = options.migrations.map(({ name }) => name).filter((name) => name >= '101');
  await withRetries(options, () => database.write(brief, (open) => removeStatistics(open, ours)));
  return true;
}

/** Less than deadlock_timeout (1 s): this gives way before a writer is ended for it. */
const briefLockTimeoutMs = 300;

/** Views of others on our tables and views, in whichever schema. */
export async function assertNoDependents(database: Database): Promise<void> {
  const rows = await database.read<{ name: string }>(await readQuery('dependents'));
  if (rows.length === 0) return;
  throw new AppError(
    'DEPENDENT_OBJECTS',
    `expected nothing to depend on our objects, found: ${rows.map(({ name }) => name).join(', ')}`,
    { hint: 'nothing was changed; drop them, run uninstall again, and create them again' },
  );
}

/** Each view is filled beside the one in use, then takes its place. */
async function restoreViews({ query }: Transaction): Promise<void> {
  const [lock] = await query<{ taken: boolean }>('select registry_stats.try_lock() as taken');
  if (lock?.taken !== true) throw lockNotAvailable();
  const ours = await query<{ name: string; definition: string | null }>(
    `select look.name, original.definition
    from registry_stats.look_at_views() as look
    left join registry_stats.original on original.name = look.name
    where look.state in ('ok', 'empty', 'unindexed')
    order by look.name`,
  );
  const kept = ours.filter(({ definition }) => definition !== null);
  for (const { name, definition } of kept) {
    const text = (definition ?? '').replace(/;\s*$/, '');
    await query(`create materialized view registry_stats."${name}" as ${text} with no data`);
    await query(`refresh materialized view registry_stats."${name}"`);
  }
  for (const { name } of kept) await query('select registry_stats.replace_view($1)', [name]);
  for (const { name, definition } of ours) {
    if (definition === null) await query(`drop materialized view public."${name}"`);
  }
}

async function removeStatistics({ query }: Transaction, ours: readonly string[]): Promise<void> {
  const originals = await query<{ name: string; definition: string; settings: string[] }>(
    `select name, definition, settings
    from registry_stats.original
    where name not in (select view.name from registry_stats.view)`,
  );
  const installed = await query<{ name: string }>(
    `select pg_catalog.format('public.%I(%s)', proname, pg_catalog.oidvectortypes(proargtypes)) as name
    from pg_catalog.unnest($1::text[]) as name
    join pg_catalog.pg_proc on pg_proc.oid = pg_catalog.to_regprocedure('public.' || name)
    where pg_catalog.strpos(prosrc, 'registry_stats.') > 0`,
    [statisticsFunctions],
  );
  for (const { name } of installed) {
    const original = originals.find((candidate) => candidate.name === name);
    if (original === undefined) {
      await query(`drop function ${name}`);
      continue;
    }
    await query(original.definition);
    for (const setting of original.settings) await query(setting);
  }
  await query('drop schema registry_stats cascade');
  await query('delete from public.ar_internal_metadata where key = $1', [functionsKey]);
  await query('delete from public.schema_migrations where version = any ($1)', [ours]);
}

function lockNotAvailable(): Error {
  return Object.assign(new Error('a refresh or a rebuild is running'), {
    code: sqlstate.lockNotAvailable,
  });
}
