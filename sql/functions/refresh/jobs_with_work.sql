-- Returns those of the given jobs whose run would change anything. Stable, so it uses one snapshot:
-- the figures of the other jobs include everything committed, and they need no run.
--
-- In plpgsql, as all functions of this check: a session keeps their plans. A sql function is
-- planned at each call, which took three quarters of the time.
create or replace function registry_stats.jobs_with_work(jobs text[])
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_history constant text := 'populate_all_historical_deposit_stats';
  v_work text[] := array(
    select replaced.job from registry_stats.replaced_functions(jobs_with_work.jobs) as replaced
  );
  v_views text[];
  v_readable text[];
  v_changed text[];
  v_untrusted text[];
begin
  if v_history = any (jobs_with_work.jobs)
    and exists (select from registry_stats.missing_months())
  then
    v_work := v_work || v_history;
  end if;

  if jobs_with_work.jobs <> array[v_history] then
    -- Pending changes concern every view.
    if registry_stats.has_pending() then
      v_work := v_work || array_remove(jobs_with_work.jobs, v_history);
    else
      v_views := array(
        select view.name from registry_stats.view where view.job = any (jobs_with_work.jobs)
      );
      select
        v_work || array_agg(view.job) filter (where checked.state <> 'ok' or view.is_due),
        array_agg(view.name) filter (where checked.state = 'ok')
      into v_work, v_readable
      from registry_stats.look_at_views(v_views) as checked
      join registry_stats.view on view.name = checked.name;

      v_changed := registry_stats.changed_by_others(v_readable);
      v_untrusted := array(
        select found.name
        from registry_stats.fingerprints(
          array(select view.source from registry_stats.view where view.name = any (v_views))
        ) as found
        where not found.is_trusted
      );
      v_work := v_work || array(
        select view.job
        from registry_stats.view
        where view.name = any (v_views)
          and (
            view.name = any (v_changed)
            or view.source = any (v_untrusted)
            or view.name = 'current_deposit_stats' and registry_stats.shows_other_names()
          )
      );
    end if;
  end if;

  return array(select job from unnest(jobs_with_work.jobs) as job where job = any (v_work));
end
$$;

comment on function registry_stats.jobs_with_work(text[]) is
  'Those of the jobs whose run would change anything.';
