-- Appends the net change of a delete on public.work_items, a row a key, in the writer's transaction.
-- Trigger registry_stats_delete, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_work_items_delete()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> 'work_items')
    and not registry_stats.is_counted('work_items', tg_relid)
  then
    return null;
  end if;

  insert into registry_stats.delta (
    source,
    institution_id,
    facet,
    row_count
  )
  select
    'work_items',
    removed.institution_id,
    removed.action,
    -count(*)
  from removed
  group by
    removed.institution_id,
    removed.action;

  return null;
end
$$;

comment on function registry_stats.capture_work_items_delete() is
  'Appends what a delete of work items changes to registry_stats.delta.';
