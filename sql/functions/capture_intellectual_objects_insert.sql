-- Appends the net change of an insert on public.intellectual_objects, a row a key, in the writer's transaction.
-- Trigger registry_stats_insert, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_intellectual_objects_insert()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> 'intellectual_objects')
    and not registry_stats.is_counted('intellectual_objects', tg_relid)
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
    'intellectual_objects',
    added.institution_id,
    added.state,
    count(*)
  from added
  group by
    added.institution_id,
    added.state;

  return null;
end
$$;

comment on function registry_stats.capture_intellectual_objects_insert() is
  'Appends what an insert of objects changes to registry_stats.delta.';
