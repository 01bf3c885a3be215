-- Returns the views that do not show the time of our last refresh: another session refreshed them,
-- maybe with an older snapshot. A refresh writes one time into all rows, so one row is enough. The
-- views must be readable. Registry's own have static queries, so that the session keeps the plans.
create or replace function registry_stats.changed_by_others(views text[])
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_changed text[] := '{}';
  v_view record;
  v_found timestamptz;
begin
  if changed_by_others.views = array[
    'premis_event_counts', 'intellectual_object_counts', 'generic_file_counts', 'work_item_counts'
  ] then
    return array(
      select found.name
      from (
        values
          ('premis_event_counts', (select updated_at from public.premis_event_counts limit 1)),
          ('intellectual_object_counts', (select updated_at from public.intellectual_object_counts limit 1)),
          ('generic_file_counts', (select updated_at from public.generic_file_counts limit 1)),
          ('work_item_counts', (select updated_at from public.work_item_counts limit 1))
      ) as found (name, stamp)
      join registry_stats.view on view.name = found.name
      where found.stamp is distinct from view.stamp
    );
  end if;

  if changed_by_others.views = array['current_deposit_stats'] then
    return array(
      select view.name
      from registry_stats.view
      where view.name = 'current_deposit_stats'
        and view.stamp is distinct from (select end_date from public.current_deposit_stats limit 1)
    );
  end if;

  for v_view in
    select view.name, view.stamp
    from registry_stats.view
    where view.name = any (changed_by_others.views)
  loop
    execute format(
      'select %I from public.%I limit 1',
      case v_view.name when 'current_deposit_stats' then 'end_date' else 'updated_at' end,
      v_view.name
    )
    into v_found;
    if v_found is distinct from v_view.stamp then
      v_changed := v_changed || v_view.name;
    end if;
  end loop;
  return v_changed;
exception
  -- Emptied or dropped after the catalog was read. 55000 matches its whole class, also a lock
  -- timeout: then the refresh waits, too, and names who holds the lock.
  when object_not_in_prerequisite_state or undefined_table or undefined_column then
    return changed_by_others.views;
end
$$;

comment on function registry_stats.changed_by_others(text[]) is
  'The views that do not show the time of our last refresh.';
