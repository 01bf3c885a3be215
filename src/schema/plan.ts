import type { Query } from '../db/transaction.js';
import { AppError } from '../errors.js';
import { repairableSources } from '../statistics/rebuild.js';
import { hasStatisticsSchema } from '../statistics/installation.js';
import {
  launchTables,
  materializedViews,
  neededTables,
  statisticsFunctions,
  statisticsTables,
} from '../jobs/registry-objects.js';
import { checksumOf, type SqlFile, type SqlFiles } from './sql-files.js';

/** `incomplete`: started and never finished; it is safe to run again. */
type MigrationState = 'applied' | 'pending' | 'incomplete';

interface MigrationStatus {
  readonly file: SqlFile;
  readonly state: MigrationState;
  readonly finishedAt: Date | undefined;
}

/** How a database differs from the files. */
export interface Plan {
  /** The database has no table of Registry: it is new, and gets the launch schema. */
  readonly needsLaunchSchema: boolean;
  readonly migrations: readonly MigrationStatus[];
  /** Recorded versions that are not among our files: Registry's own. */
  readonly unknown: readonly string[];
  readonly functionsChanged: boolean;
  /** Functions in schema public that are missing, or whose body is not ours. */
  readonly replacedFunctions: readonly string[];
  /** Triggers, rollups or views are not in use yet. */
  readonly needsActivation: boolean;
}

/** The key in ar_internal_metadata under which the checksum of the replayed functions is kept. */
export const functionsKey = 'registry_stats functions checksum';

export function hasWork(plan: Plan): boolean {
  return (
    plan.needsLaunchSchema ||
    plan.functionsChanged ||
    plan.needsActivation ||
    plan.migrations.some(({ state }) => state !== 'applied')
  );
}

/** Compares the database with the files. Reads only. */
export async function readPlan(query: Query, files: SqlFiles): Promise<Plan> {
  const needsLaunchSchema = await hasNoLaunchTable(query);
  const recorded = needsLaunchSchema ? [] : await readRecorded(query);
  const known = new Set(files.migrations.map(({ name }) => name));
  const hasStatistics = files.migrations.some(({ name }) => name.startsWith('101_'));
  const present = await readPresent(query);
  const replaced = needsLaunchSchema ? [] : await readReplacedFunctions(query);
  const functionsChanged =
    files.functions.length > 0 &&
    (needsLaunchSchema ||
      replaced.length > 0 ||
      !(await hasStatisticsSchema(query)) ||
      !(await hasBodies(query, files.functions)) ||
      (await readChecksum(query)) !== checksumOf(files.functions));
  return {
    needsLaunchSchema,
    // isActive calls our functions, which may not be current yet.
    needsActivation: hasStatistics && (functionsChanged || !(await isActive(query))),
    functionsChanged,
    replacedFunctions: hasStatistics ? replaced : [],
    migrations: files.migrations.map((file) => statusOf(file, recorded, present)),
    unknown: recorded.map(({ version }) => version).filter((version) => !known.has(version)),
  };
}

interface Recorded {
  version: string;
  started_at: Date | null;
  finished_at: Date | null;
}

/** Trusts the catalog more than the record, which may be missing or outdated. */
function statusOf(
  file: SqlFile,
  recorded: readonly Recorded[],
  present: ReadonlySet<string>,
): MigrationStatus {
  const row = recorded.find(({ version }) => version === file.name);
  const finishedAt = row?.finished_at ?? undefined;
  if (file.name.startsWith('001_') && present.has('001')) {
    return { file, state: 'applied', finishedAt };
  }
  const isGone = file.name.startsWith('101_') && !present.has('101');
  if (row === undefined || (isGone && finishedAt !== undefined)) {
    return { file, state: 'pending', finishedAt: undefined };
  }
  return { file, state: finishedAt === undefined ? 'incomplete' : 'applied', finishedAt };
}

/**
 * A database with any table of Registry is not new, so it does not get the launch schema. Tables
 * that the statistics do not need may be missing.
 * @throws AppError NOT_REGISTRY when some of the tables are there and a needed one is not
 */
async function hasNoLaunchTable(query: Query): Promise<boolean> {
  const rows = await query<{ tablename: string }>(
    `select tablename from pg_catalog.pg_tables
    where schemaname = 'public' and tablename = any ($1)`,
    [launchTables],
  );
  const found = new Set(rows.map(({ tablename }) => tablename));
  if (found.size === 0) return true;
  const missing = neededTables.filter((table) => !found.has(table));
  if (missing.length === 0) return false;
  throw new AppError(
    'NOT_REGISTRY',
    `expected all ${neededTables.length} tables that the statistics need, or no table of Registry; ` +
      `found ${neededTables.length - missing.length}, missing: ${missing.join(', ')}`,
    { hint: 'check DB_NAME; in development, `registry-stats reset` makes a database again' },
  );
}

/**
 * Which of the migrations can be seen in the catalog.
 * @throws AppError DATABASE_NOT_MIGRATED when an earlier form of 101 is there
 */
async function readPresent(query: Query): Promise<ReadonlySet<string>> {
  const [row] = await query<{ hasPlain: boolean; hasState: boolean; isEarlier: boolean }>(
    `select
      (
        select pg_catalog.bool_and(pg_catalog.to_regclass('public.' || name) is not null)
        from pg_catalog.unnest($1::text[]) as name
      ) and (
        select pg_catalog.bool_and(pg_catalog.to_regprocedure('public.' || name) is not null)
        from pg_catalog.unnest($2::text[]) as name
      ) as "hasPlain",
      pg_catalog.to_regclass('registry_stats.epoch') is not null as "hasState",
      pg_catalog.to_regclass('registry_stats.epoch') is not null and not exists (
        select
        from pg_catalog.pg_attribute
        where attrelid = pg_catalog.to_regclass('registry_stats.epoch')
          and attname = 'folded_to'
      ) as "isEarlier"`,
    [[...statisticsTables, ...materializedViews], statisticsFunctions],
  );
  if (row?.isEarlier === true) {
    throw new AppError(
      'DATABASE_NOT_MIGRATED',
      'expected schema registry_stats of this version, found that of an earlier one',
      { hint: 'run `registry-stats uninstall`, then `registry-stats migrate`' },
    );
  }
  const present = new Set<string>();
  if (row?.hasPlain === true) present.add('001');
  if (row?.hasState === true) present.add('101');
  return present;
}

async function readReplacedFunctions(query: Query): Promise<string[]> {
  const rows = await query<{ name: string }>(
    `select name
    from pg_catalog.unnest($1::text[]) as name
    left join pg_catalog.pg_proc on pg_proc.oid = pg_catalog.to_regprocedure('public.' || name)
    where pg_catalog.strpos(coalesce(prosrc, ''), 'registry_stats.') = 0`,
    [statisticsFunctions],
  );
  return rows.map(({ name }) => name);
}

/** Whether every function of the files is there with its body: somebody may have dropped or replaced one. */
async function hasBodies(query: Query, files: readonly SqlFile[]): Promise<boolean> {
  const bodies = files.flatMap(({ text }) => [
    ...text.matchAll(/^create or replace function (\w+)\.(\w+)\(.*?^as \$\$(.*?)^\$\$/gms),
  ]);
  const [differing] = await query(
    `select
    from rows from (
      pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])
    ) as expected (schema, name, body)
    where not exists (
      select
      from pg_catalog.pg_proc
      where pronamespace = pg_catalog.to_regnamespace(expected.schema)
        and proname = expected.name
        and prosrc = expected.body
    )
    limit 1`,
    [1, 2, 3].map((part) => bodies.map((found) => found[part])),
  );
  return differing === undefined;
}

async function isActive(query: Query): Promise<boolean> {
  if (!(await hasStatisticsSchema(query))) return false;
  const [view] = await query(
    `select
    where not exists (select from registry_stats.view)
      or exists (
        select from registry_stats.look_at_views() where state in ('foreign', 'missing', 'other')
      )`,
  );
  return view === undefined && (await repairableSources(query)).length === 0;
}

function readRecorded(query: Query): Promise<Recorded[]> {
  return query<Recorded>(
    `select
      version,
      started_at at time zone 'utc' as started_at,
      finished_at at time zone 'utc' as finished_at
    from public.schema_migrations
    order by version`,
  );
}

async function readChecksum(query: Query): Promise<string | undefined> {
  const [row] = await query<{ value: string }>(
    'select value from public.ar_internal_metadata where key = $1',
    [functionsKey],
  );
  return row?.value;
}
