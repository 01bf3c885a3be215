-- Whether deltas are pending. By the index: a table that is emptied all the time holds dead rows until
-- it is vacuumed. A scan of the table reads them all at each check; the index remembers, from the first
-- check on, which of its entries are dead.
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

comment on function registry_stats.has_pending() is 'Whether changes are not in the rollups yet.';
