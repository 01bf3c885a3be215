-- Appends an update on public.generic_files that moved a row to another key or changed its measure.
-- Trigger registry_stats_update, after each row whose captured columns differ: any other update, such
-- as a fixity check, costs the comparison alone.
create or replace function registry_stats.capture_generic_files_update()
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
  values
    (
      'generic_files',
      old.institution_id,
      old.state,
      old.intellectual_object_id,
      old.storage_option,
      -1,
      -coalesce(old.size::numeric, 0)
    ),
    (
      'generic_files',
      new.institution_id,
      new.state,
      new.intellectual_object_id,
      new.storage_option,
      1,
      coalesce(new.size, 0)
    );

  return null;
end
$$;

comment on function registry_stats.capture_generic_files_update() is
  'Appends what an update of files changes to registry_stats.delta.';
