-- Puts views over the rollups in the place of views over the tables, with the owner, the grants, the
-- comments and the indexes of the old ones. Needs exact rollups. Gives whether there was something
-- to do.
-- Locks the views for some milliseconds: call it with a short lock_timeout. A reader that comes in
-- between waits and then reads the new view. The new ones are filled by a refresh, whose rows every
-- snapshot sees, so that not even an old repeatable read finds them empty.
create or replace function registry_stats.swap_views()
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_inexact text[];
  v_view text;
begin
  if not exists (select from registry_stats.view where not is_incremental) then
    return false;
  end if;

  if not registry_stats.try_lock() then
    raise exception 'registry_stats: a refresh or a rebuild is running'
      using errcode = 'lock_not_available';
  end if;

  v_inexact := registry_stats.check_sources();
  if cardinality(v_inexact) > 0 then
    raise exception 'registry_stats: tables must be rebuilt first: %', array_to_string(v_inexact, ', ')
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  perform registry_stats.fold();
  for v_view in select name from registry_stats.view where not is_incremental order by name
  loop
    execute format(
      'create materialized view registry_stats.%I as %s with no data',
      v_view, registry_stats.view_definition(v_view, false)
    );
    execute format('refresh materialized view registry_stats.%I', v_view);
  end loop;
  -- All at once at the end: no reader waits for a scan.
  for v_view in select name from registry_stats.view where not is_incremental order by name
  loop
    perform registry_stats.replace_view(v_view);
  end loop;

  update registry_stats.view
  set
    is_incremental = true,
    is_due = false,
    refreshed_at = clock_timestamp(),
    data_as_of = transaction_timestamp();

  return true;
end
$$;

comment on function registry_stats.swap_views() is
  'Puts views over the rollups in the place of views over the tables.';
