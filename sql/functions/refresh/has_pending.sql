-- Returns whether deltas are pending. Uses the index: a scan of the table would read all rows that
-- await vacuum, at each check. The index marks its dead entries at the first check.
create or replace function registry_stats.has_pending()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from (select delta.id from registry_stats.delta order by delta.id desc limit 1) as newest
  );
end
$$;

comment on function registry_stats.has_pending() is 'Whether deltas are pending.';
