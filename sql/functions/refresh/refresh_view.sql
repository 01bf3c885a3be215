-- Refreshes one view, and creates its unique index if it is gone. A view that is not populated cannot be
-- refreshed concurrently, and nobody can read it: it is refreshed at once. Returns whether there was a view
-- to refresh. The error of a wait that took too long says who was in the way.
--
-- Somebody may empty or drop the view, or drop its index, between the look and the refresh, and a
-- materialized view cannot be locked before: then it looks again, instead of failing in a transaction of
-- Registry's. In repeatable read the look is as old as the snapshot, while PostgreSQL goes by what is
-- there: the last try is a plain refresh, which needs neither rows nor index.
create or replace function registry_stats.refresh_view(view text)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_look record;
begin
  for v_try in 1..3 loop
    select look.state, pg_class.relispopulated
    into v_look
    from registry_stats.look_at_views(array[refresh_view.view]) as look
    join pg_class on pg_class.oid = to_regclass('public.' || quote_ident(look.name))
    where look.state in ('ok', 'empty', 'unindexed', 'foreign');
    if not found then
      return false;
    end if;

    begin
      if v_look.state = 'unindexed' then
        perform registry_stats.index_view('public', refresh_view.view);
      end if;
      execute format(
        'refresh materialized view %s public.%I',
        case when v_look.relispopulated and v_try < 3 then 'concurrently' else '' end,
        refresh_view.view
      );
      return true;
    exception
      -- First, for the name of 55000 below stands for its whole class, and this error is one of it: a
      -- view that could not be locked would be left out without a word.
      when lock_not_available then
        raise exception 'registry_stats: no lock on public.%', refresh_view.view
          using
            errcode = 'lock_not_available',
            detail = registry_stats.blockers(to_regclass('public.' || quote_ident(refresh_view.view)));
      when object_not_in_prerequisite_state or feature_not_supported or undefined_table then
        null;
    end;
  end loop;
  return false;
end
$$;

comment on function registry_stats.refresh_view(text) is
  'Refreshes one view; returns whether there was one to refresh.';
