import type { Query } from '../db/transaction.js';

/** What `registry_stats.replace_history` would delete. Dates are as 2024-01-01. */
interface ReplacedMonths {
  readonly months: number;
  readonly rows: number;
  /** null without a month. */
  readonly first: string | null;
  readonly last: string | null;
}

/** Returns the months of the history from `since` on. */
export async function readReplacedMonths(query: Query, since: string): Promise<ReplacedMonths> {
  const [row] = await query<{ months: string; rows: string; first: string; last: string }>(
    `select
      count(distinct end_date) as months,
      count(*) as rows,
      min(end_date)::text as first,
      max(end_date)::text as last
    from public.historical_deposit_stats
    where end_date >= $1`,
    [since],
  );
  const { months = 0, rows = 0, first = null, last = null } = row ?? {};
  return { months: Number(months), rows: Number(rows), first, last };
}
