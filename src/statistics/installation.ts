import type { Database } from '../db/database.js';
import type { Query } from '../db/transaction.js';

/** The tables that migration 101 declares. A database may declare more. */
export const sources = [
  'generic_files',
  'intellectual_objects',
  'premis_events',
  'work_items',
] as const;

export type Source = (typeof sources)[number];

/** Returns the sources that the database declares. */
export async function readSources(query: Query): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    'select name from registry_stats.source order by name',
  );
  return rows.map(({ name }) => name);
}

/** Returns whether the views were ever activated. If they changed since, a run repairs them. */
export async function isIncremental(database: Pick<Database, 'read'>): Promise<boolean> {
  // Two steps, because one statement cannot name a table that may be missing.
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return false;
  const [row] = await database.read(
    'select from registry_stats.view where stamp is not null limit 1',
  );
  return row !== undefined;
}

/** Returns whether migration 101 and the functions are installed. */
export async function hasStatisticsSchema(query: Query): Promise<boolean> {
  const [row] = await query<{ found: boolean }>(
    `select pg_catalog.to_regclass('registry_stats.epoch') is not null
      and pg_catalog.to_regprocedure('registry_stats.swap_views()') is not null as found`,
  );
  return row?.found === true;
}
