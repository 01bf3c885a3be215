-- Appends the net change of a delete on public.generic_files, a row a key, in the writer's transaction.
-- Trigger registry_stats_delete, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_generic_files_delete()
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
    removed.institution_id,
    removed.state,
    removed.intellectual_object_id,
    removed.storage_option,
    -count(*),
    -coalesce(sum(removed.size), 0)
  from removed
  group by
    removed.institution_id,
    removed.state,
    removed.intellectual_object_id,
    removed.storage_option;

  return null;
end
$$;

comment on function registry_stats.capture_generic_files_delete() is
  'Appends what a delete of files changes to registry_stats.delta.';
