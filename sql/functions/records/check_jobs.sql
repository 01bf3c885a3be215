-- Checks jobs in one round trip. Returns those that need a run. Records for the others that they
-- were checked and have nothing to do. Returns NULL in the legacy state: no view was activated.
--
-- While a run is unfinished, returns all: begin_run must check whether it still exists. That reads
-- pg_stat_activity, which takes longer than all the rest.
create or replace function registry_stats.check_jobs(jobs text[], trigger text)
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_work text[];
begin
  if not exists (select from registry_stats.view where view.stamp is not null) then
    return null;
  end if;
  if exists (select from registry_stats.run where run.outcome is null) then
    return check_jobs.jobs;
  end if;

  v_work := registry_stats.jobs_with_work(check_jobs.jobs);
  if v_work <> check_jobs.jobs then
    perform registry_stats.record_check(
      array(select job from unnest(check_jobs.jobs) as job where job <> all (v_work)),
      check_jobs.trigger
    );
  end if;
  return v_work;
end
$$;

comment on function registry_stats.check_jobs(text[], text) is
  'The jobs that need a run; the check of the others is recorded. NULL in the legacy state.';
