import type { Database, Query } from '../db/database.js';

export const sources = [
  'generic_files',
  'intellectual_objects',
  'premis_events',
  'work_items',
] as const;

/** A table of Registry's whose changes are captured. */
export type Source = (typeof sources)[number];

export function isSource(name: string): name is Source {
  return (sources as readonly string[]).includes(name);
}

/** Whether the views read the rollups: migrated and activated. */
export async function isIncremental(database: Pick<Database, 'read'>): Promise<boolean> {
  // One statement may not name a table that may be missing: asked in two steps.
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return false;
  const [row] = await database.read<{ isIncremental: boolean }>(
    `select pg_catalog.bool_and(is_incremental) as "isIncremental" from registry_stats.view`,
  );
  return row?.isIncremental === true;
}

/** Whether migration 101 and the functions are there. */
export async function hasStatisticsSchema(query: Query): Promise<boolean> {
  const [row] = await query<{ found: boolean }>(
    `select pg_catalog.to_regclass('registry_stats.view') is not null
      and pg_catalog.to_regprocedure('registry_stats.swap_views()') is not null as found`,
  );
  return row?.found === true;
}
