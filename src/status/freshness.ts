import { escapeIdentifier, escapeLiteral } from 'pg';
import { materializedViews } from '../jobs/registry-objects.js';
import type { Database } from '../db/database.js';
import { isIncremental } from '../statistics/installation.js';

/** How fresh one statistics object is. */
export interface Freshness {
  readonly name: string;
  readonly rows: number;
  /** When its figures were computed; for the history the newest month in it. */
  readonly asOf: string | null;
}

/** Returns rows and time of each view, read from the view. */
export async function readFreshness(database: Database): Promise<Freshness[]> {
  const views = (await readViews(database)).map((view) => {
    const column = view === 'current_deposit_stats' ? 'end_date' : 'updated_at';
    return `select ${escapeLiteral(view)} as name, count(*)::int as rows, max(${column}) as as_of
      from public.${escapeIdentifier(view)}`;
  });
  const history = `select
      'historical_deposit_stats',
      count(*)::int,
      max(end_date)::timestamp at time zone 'utc'
    from public.historical_deposit_stats`;
  const rows = await database.read<{ name: string; rows: number; as_of: Date | null }>(
    [...views, history].join('\nunion all\n'),
  );
  return rows.map(({ name, rows: count, as_of }) => ({
    name,
    rows: count,
    asOf: as_of?.toISOString() ?? null,
  }));
}

/** Returns the declared views, those of migration 001 first. */
async function readViews(database: Database): Promise<readonly string[]> {
  if (!(await isIncremental(database))) return materializedViews;
  const rows = await database.read<{ name: string }>(
    `select name
    from registry_stats.view
    order by pg_catalog.array_position($1::text[], name), name`,
    [materializedViews],
  );
  return rows.map(({ name }) => name);
}
