import { readQuery } from '../db/query-file.js';
import type { Query } from '../db/transaction.js';

/**
 * Returns, in words, the rows of Registry's own statistics that our views will show differently on purpose;
 * none once our views are in use. Reads small tables and the views, never the large tables.
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
  const rows = await query<{ change: string }>(await readQuery('intended_changes'));
  return rows.map(({ change }) => change);
}
