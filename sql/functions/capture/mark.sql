-- Appends a mark, in the writer's transaction, that a table must be rebuilt. Skips it if the newest
-- delta is such a mark of this transaction: a statement may call this once per row. A mark of
-- another transaction does not count, because it may be folded before this one commits.
create or replace function registry_stats.mark(source text, reason text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  insert into registry_stats.delta (source, rebuild_because, row_count)
  select mark.source, mark.reason, 0
  where not exists (
    select
    from (
      select newest.source, newest.rebuild_because
      from registry_stats.delta as newest
      where newest.xid = pg_current_xact_id()
      order by newest.id desc
      limit 1
    ) as newest
    where newest.source = mark.source
      and newest.rebuild_because is not null
  );
end
$$;

comment on function registry_stats.mark(text, text) is
  'Appends a mark that the rollups of a table must be rebuilt.';
