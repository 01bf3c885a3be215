-- Appends the net change of an insert on public.generic_files, a row a key, in the writer's transaction.
-- Trigger registry_stats_insert, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_generic_files_insert()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> 'generic_files')
    and not registry_stats.is_counted('generic_files', tg_relid)
  then
    return null;
  end if;

  insert into registry_stats.delta (
    source,
    institution_id,
    facet,
    object_id,
    storage_option,
    row_count,
    byte_count
  )
  select
    'generic_files',
    added.institution_id,
    added.state,
    added.intellectual_object_id,
    added.storage_option,
    count(*),
    coalesce(sum(added.size), 0)
  from added
  group by
    added.institution_id,
    added.state,
    added.intellectual_object_id,
    added.storage_option;

  return null;
end
$$;

comment on function registry_stats.capture_generic_files_insert() is
  'Appends what an insert of files changes to registry_stats.delta.';
