-- Refreshes one view, and creates its unique index if that is missing. A view that is not populated
-- cannot be read or refreshed concurrently, so it is refreshed with a lock. Returns whether there
-- was a view to refresh. The error of a lock timeout names the sessions that hold the lock.
--
-- Another session may empty or drop the view, or drop its index, after the check, and a
-- materialized view cannot be locked before. So the check is repeated, instead of failing in a
-- transaction of Registry's. In repeatable read the check uses the old snapshot, the refresh does
-- not. So the last try is not concurrent: that needs neither rows nor an index.
create or replace function registry_stats.refresh_view(view text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
-- A concurrent refresh analyzes its two temporary tables, which takes up to a quarter of its time.
-- A sample of 300 rows is enough to compare a view with them.
set default_statistics_target = 1
as $$
declare
  v_checked record;
begin
  for v_try in 1..3 loop
    select checked.state, pg_class.relispopulated, pg_class.relowner
    into v_checked
    from registry_stats.look_at_views(array[refresh_view.view]) as checked
    join pg_class on pg_class.oid = to_regclass('public.' || quote_ident(checked.name))
    where checked.state in ('ok', 'empty', 'unindexed', 'foreign');
    if not found then
      return false;
    end if;

    begin
      if v_checked.state = 'unindexed' then
        perform registry_stats.index_view('public', refresh_view.view);
      end if;
      execute format(
        'refresh materialized view %s public.%I',
        case when v_checked.relispopulated and v_try < 3 then 'concurrently' else '' end,
        refresh_view.view
      );
      return true;
    exception
      -- Comes first, because 55000 below matches its whole class, also this error. A view that
      -- could not be locked would be skipped silently.
      when lock_not_available then
        raise exception 'registry_stats: could not lock public.%', refresh_view.view
          using
            errcode = 'lock_not_available',
            detail = registry_stats.blockers(to_regclass('public.' || quote_ident(refresh_view.view)));
      when insufficient_privilege then
        if has_database_privilege(v_checked.relowner, current_database(), 'temporary') then
          raise;
        end if;
        raise exception
          'registry_stats: role % may not create the temporary table of a concurrent refresh',
          v_checked.relowner::regrole
          using
            errcode = 'insufficient_privilege',
            hint = format(
              'grant temporary on database %I to %s;', current_database(), v_checked.relowner::regrole
            );
      when object_not_in_prerequisite_state or feature_not_supported or undefined_table then
        null;
    end;
  end loop;
  return false;
end
$$;

comment on function registry_stats.refresh_view(text) is
  'Refreshes one view; returns whether there was one to refresh.';
