import type { Query } from '../db/transaction.js';

/**
 * Rows of Registry's own statistics that will be other ones with ours, on purpose, in words; nothing
 * where ours are in use already. Reads small tables and the views, never the large tables.
 */
export async function readIntendedChanges(query: Query): Promise<string[]> {
  const [state] = await query<{ isForeign: boolean }>(
    `select relispopulated and (
      select pg_catalog.count(*) = 0
      from pg_catalog.pg_depend
      join pg_catalog.pg_rewrite on pg_rewrite.oid = pg_depend.objid
      join pg_catalog.pg_class as read on read.oid = pg_depend.refobjid
      where pg_rewrite.ev_class = shown.oid
        and read.relnamespace = pg_catalog.to_regnamespace('registry_stats')
    ) as "isForeign"
    from pg_catalog.pg_class as shown
    where shown.oid = pg_catalog.to_regclass('public.current_deposit_stats')
      and shown.relkind = 'm'
      and pg_catalog.to_regclass('public.generic_file_counts') is not null`,
  );
  if (state?.isForeign !== true) return [];
  const rows = await query<{ change: string }>(intendedChanges);
  return rows.map(({ change }) => change);
}

const intendedChanges = `
  select pg_catalog.format(
    'current_deposit_stats, historical_deposit_stats: rows of %L: institutions %s have one name; ' ||
    'their figures were mixed, and each gets its own',
    name, pg_catalog.string_agg(id::text, ', ' order by id)
  ) as change
  from public.institutions
  group by name
  having count(*) > 1
  union all
  select pg_catalog.format(
    'current_deposit_stats: %s, %s: total_bytes is NULL, as no file there has a size; it will be 0',
    coalesce(institution_name, 'institution ' || coalesce(institution_id::text, 'NULL')),
    coalesce(storage_option, 'Total')
  )
  from public.current_deposit_stats
  where total_bytes is null
  union all
  select pg_catalog.format(
    'current_deposit_stats: files of institution %s, which does not exist: they stood under another ' ||
    'name, and get a row of their own without a name',
    institution_id
  )
  from public.generic_file_counts
  where institution_id is not null
    and state = 'A'
    and not exists (select from public.institutions where id = institution_id)
  order by 1
  limit 1000`;
