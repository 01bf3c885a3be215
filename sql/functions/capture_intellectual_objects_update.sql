-- Appends an update on public.intellectual_objects that moved a row to another key or changed its measure.
-- Trigger registry_stats_update, after each row whose captured columns differ: any other update, such
-- as a fixity check, costs the comparison alone.
create or replace function registry_stats.capture_intellectual_objects_update()
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
  values
    (
      'intellectual_objects',
      old.institution_id,
      old.state,
      -1
    ),
    (
      'intellectual_objects',
      new.institution_id,
      new.state,
      1
    );

  return null;
end
$$;

comment on function registry_stats.capture_intellectual_objects_update() is
  'Appends what an update of objects changes to registry_stats.delta.';
