-- Returns whether a run of the job would change anything. Stable, so it uses one snapshot: if it
-- returns false, the figures include everything committed, and the daemon need not start a run.
--
-- In plpgsql, as all functions of this check: a session keeps their plans. A sql function is
-- planned at each call, which took three quarters of the time.
create or replace function registry_stats.has_work(job text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_views text[] := registry_stats.views_of(has_work.job);
begin
  if has_work.job = 'populate_all_historical_deposit_stats' then
    return exists (select from registry_stats.missing_months())
      or exists (
        select
        from registry_stats.replaced_functions() as replaced
        where replaced.job = has_work.job
      );
  end if;

  -- Separate statements, so that the session keeps their plans.
  if registry_stats.has_pending() or exists (
    select
    from registry_stats.look_at_views(v_views) as checked
    where checked.state <> 'ok'
  ) or exists (
    select
    from registry_stats.view
    where view.name = any (v_views)
      and view.is_due
  ) then
    return true;
  end if;

  return registry_stats.changed_by_others(v_views) <> '{}'
    or has_work.job = 'update_current_deposit_stats' and registry_stats.shows_other_names()
    or exists (
      select
      from registry_stats.fingerprints(
        array(select view.source from registry_stats.view where view.name = any (v_views))
      ) as found
      where not found.is_trusted
    )
    or registry_stats.guards() is distinct from (
      select epoch.guards from registry_stats.epoch where epoch.name = 'rollups'
    )
    or exists (
      select from registry_stats.replaced_functions() as replaced where replaced.job = has_work.job
    );
end
$$;

comment on function registry_stats.has_work(text) is 'Whether a run of the job would do anything.';
