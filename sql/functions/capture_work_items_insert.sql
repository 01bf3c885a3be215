-- Appends the net change of an insert on public.work_items, a row a key, in the writer's transaction.
-- Trigger registry_stats_insert, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_work_items_insert()
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
    added.institution_id,
    added.action,
    count(*)
  from added
  group by
    added.institution_id,
    added.action;

  return null;
end
$$;

comment on function registry_stats.capture_work_items_insert() is
  'Appends what an insert of work items changes to registry_stats.delta.';
