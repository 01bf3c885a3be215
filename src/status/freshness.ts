import { materializedViews } from '../jobs/registry-objects.js';
import type { Database } from '../db/database.js';

/** How fresh one statistics object is. */
export interface Freshness {
  readonly name: string;
  readonly rows: number;
  /** When its figures were computed; for the history the newest month in it. */
  readonly asOf: string | null;
}

/** What is fresh, since when, in the views' own words. */
export async function readFreshness(database: Database): Promise<Freshness[]> {
  const views = materializedViews.map((view) => {
    const column = view === 'current_deposit_stats' ? 'end_date' : 'updated_at';
    return `select '${view}' as name, count(*)::int as rows, max(${column}) as as_of
      from public.${view}`;
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
