-- Appends an update on public.work_items that moved a row to another key or changed its measure.
-- Trigger registry_stats_update, after each row whose captured columns differ: any other update, such
-- as a fixity check, costs the comparison alone.
create or replace function registry_stats.capture_work_items_update()
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
  values
    (
      'work_items',
      old.institution_id,
      old.action,
      -1
    ),
    (
      'work_items',
      new.institution_id,
      new.action,
      1
    );

  return null;
end
$$;

comment on function registry_stats.capture_work_items_update() is
  'Appends what an update of work items changes to registry_stats.delta.';
