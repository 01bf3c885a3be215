-- Returns whether a job has nothing to do and no run is unfinished, as at most checks. If so,
-- writes the time of the check, and skips pg_stat_activity, which takes longer than the rest.
create or replace function registry_stats.is_idle(job text, trigger text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (select from registry_stats.run where run.outcome is null)
    or registry_stats.has_work(is_idle.job)
  then
    return false;
  end if;
  perform registry_stats.record_check(is_idle.job, is_idle.trigger);
  return true;
end
$$;

comment on function registry_stats.is_idle(text, text) is
  'Whether a job has nothing to do; if so, the check is recorded.';
