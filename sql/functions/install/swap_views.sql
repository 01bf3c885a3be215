-- Replaces views over the tables, or missing views, with views over the rollups, and restores their
-- settings. Needs trusted rollups. Returns whether it replaced any.
-- Locks the views for some milliseconds: call it with a short lock_timeout. A reader that comes in
-- between waits and then reads the new view. `refresh` fills the new views: every snapshot sees its
-- rows, so even an old repeatable read transaction does not find a view empty.
create or replace function registry_stats.swap_views()
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_inexact text[];
  v_view text;
  v_views text[];
  v_dependents text;
begin
  if not exists (
    select from registry_stats.look_at_views() as checked where checked.state in ('foreign', 'missing')
  ) then
    return false;
  end if;

  if not registry_stats.try_lock() then
    raise exception 'registry_stats: a refresh or a rebuild is running'
      using errcode = 'lock_not_available';
  end if;

  -- Again: another session may have swapped them before the lock was free. Then our own views would be
  -- recorded as the original ones. In repeatable read the update of registry_stats.view fails below.
  v_views := array(
    select checked.name
    from registry_stats.look_at_views() as checked
    where checked.state in ('foreign', 'missing')
    order by checked.name
  );
  if cardinality(v_views) = 0 then
    return false;
  end if;

  if registry_stats.has_pending() then
    perform registry_stats.fold();
  end if;
  v_inexact := registry_stats.check_sources();
  v_views := array(
    select view.name
    from registry_stats.view
    where view.name = any (v_views)
      and view.source <> all (v_inexact)
    order by view.name
  );
  if cardinality(v_views) = 0 then
    raise exception 'registry_stats: tables must be rebuilt first: %',
      (
        select string_agg(source.name || ': ' || source.reason, '; ')
        from registry_stats.source
        where source.name = any (v_inexact)
      )
      using errcode = 'object_not_in_prerequisite_state';
  end if;

  select string_agg(
    format('public.%I is read by %s', name, registry_stats.dependents('public', name)), '; ' order by name
  )
  into v_dependents
  from unnest(v_views) as name
  where registry_stats.dependents('public', name) is not null;
  if v_dependents is not null then
    raise exception 'registry_stats: other objects depend on the views: %', v_dependents
      using
        errcode = 'dependent_objects_still_exist',
        hint = 'drop them, run migrate again, and create them again';
  end if;

  foreach v_view in array v_views loop
    execute format(
      'create materialized view registry_stats.%I as %s with no data',
      v_view, registry_stats.view_definition(v_view, false)
    );
    execute format('refresh materialized view registry_stats.%I', v_view);
    insert into registry_stats.original (name, definition, settings)
    select v_view, pg_get_viewdef(pg_class.oid), registry_stats.view_settings(pg_class.oid)
    from pg_class
    where pg_class.oid = to_regclass(format('public.%I', v_view))
    on conflict on constraint original_pkey do update
    set definition = excluded.definition, settings = excluded.settings;
  end loop;
  -- All replacements come last, so no reader waits for a scan.
  foreach v_view in array v_views loop
    perform registry_stats.replace_view(v_view);
  end loop;

  update registry_stats.view
  set
    is_due = false,
    changes = 0,
    stamp = transaction_timestamp()
  where name = any (v_views);
  perform registry_stats.make_live_views();

  return true;
end
$$;

comment on function registry_stats.swap_views() is
  'Replaces views over the tables with views over the rollups.';
