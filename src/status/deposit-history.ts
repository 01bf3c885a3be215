import type { Database } from '../db/database.js';
import type { Figures, Series } from './model.js';

/** How many series are shown apart; the smaller ones are added up. */
const shownSeries = 9;

/** Stored bytes at every first of a month, by storage option and by institution, largest first. */
export async function readHistory(database: Pick<Database, 'read'>): Promise<Figures['history']> {
  const months = await database.read<{ month: string }>(
    `select distinct end_date::text as month
    from public.historical_deposit_stats
    where end_date is not null
    order by month`,
  );
  return {
    months: months.map(({ month }) => month),
    byStorageOption: await readSeries(database, byStorageOption, 'other options'),
    byInstitution: await readSeries(database, byInstitution, 'other institutions'),
  };
}

function readSeries(
  database: Pick<Database, 'read'>,
  figures: string,
  others: string,
): Promise<Series[]> {
  return database.read<Series & Record<string, unknown>>(seriesOf(figures), [shownSeries, others]);
}

// The unique index of the table admits a second row where the institution is NULL, hence max().
const byStorageOption = `
    select storage_option as key, storage_option as name, end_date, max(total_bytes) as bytes
    from public.historical_deposit_stats
    where institution_id is null
      and storage_option <> 'Total'
    group by storage_option, end_date`;

const byInstitution = `
    select
      institution_id::text as key,
      max(institution_name) as name,
      end_date,
      max(total_bytes) as bytes
    from public.historical_deposit_stats
    where institution_id is not null
      and storage_option = 'Total'
    group by institution_id, end_date`;

/** One row a series with a number for every month, 0 where the table has none. */
function seriesOf(figures: string): string {
  return `
  with figure as materialized (${figures}
  ),

  month as (
    select distinct end_date
    from public.historical_deposit_stats
    where end_date is not null
  ),

  ranked as (
    select
      key,
      (array_agg(name order by end_date desc))[1] as name,
      row_number() over (
        order by (array_agg(bytes order by end_date desc))[1] desc, max(bytes) desc, key
      ) as place
    from figure
    group by key
    having max(bytes) > 0
  ),

  shown as (
    select
      least(ranked.place, $1 + 1) as place,
      case when ranked.place <= $1 then ranked.name else $2 end as name,
      month.end_date,
      sum(coalesce(figure.bytes, 0)) as bytes
    from ranked
    cross join month
    left join figure
      on figure.key = ranked.key
      and figure.end_date = month.end_date
    group by 1, 2, 3
  )

  select name, array_agg(bytes::float8 order by end_date) as bytes
  from shown
  group by place, name
  order by place`;
}
