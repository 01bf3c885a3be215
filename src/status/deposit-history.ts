import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import type { Figures, Series } from './model.js';

/** How many series are shown apart; the smaller ones are added up. */
const shownSeries = 9;

/** Reads the bytes stored on the first of each month, by storage option and by institution. */
export async function readHistory(database: Pick<Database, 'read'>): Promise<Figures['history']> {
  const months = await database.read<{ month: string }>(
    `select distinct end_date::text as month
    from public.historical_deposit_stats
    where end_date is not null
    order by month`,
  );
  const query = await readQuery('deposit_history');
  const readSeries = (kind: string, others: string): Promise<Series[]> =>
    database.read<Series & Record<string, unknown>>(query, [kind, shownSeries, others]);
  return {
    months: months.map(({ month }) => month),
    byStorageOption: await readSeries('storage_option', 'other options'),
    byInstitution: await readSeries('institution', 'other institutions'),
  };
}
