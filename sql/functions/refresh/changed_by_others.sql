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
  for v_view in
    select view.name, view.stamp
    from registry_stats.view
    where view.name = any (changed_by_others.views)
  loop
    case v_view.name
      when 'premis_event_counts' then
        select updated_at into v_found from public.premis_event_counts limit 1;
      when 'intellectual_object_counts' then
        select updated_at into v_found from public.intellectual_object_counts limit 1;
      when 'generic_file_counts' then
        select updated_at into v_found from public.generic_file_counts limit 1;
      when 'work_item_counts' then
        select updated_at into v_found from public.work_item_counts limit 1;
      when 'current_deposit_stats' then
        select end_date into v_found from public.current_deposit_stats limit 1;
      else
        execute format('select updated_at from public.%I limit 1', v_view.name) into v_found;
    end case;
    if v_found is distinct from v_view.stamp then
      v_changed := v_changed || v_view.name;
    end if;
  end loop;
  return v_changed;
exception
  -- Emptied or dropped after the catalog was read. The condition matches class 55, so also lock
  -- timeouts (55P03). The refresh then waits, and reports who holds the lock.
  when object_not_in_prerequisite_state or undefined_table or undefined_column then
    return changed_by_others.views;
end
$$;

comment on function registry_stats.changed_by_others(text[]) is
  'The views that do not show the time of our last refresh.';
