-- First half of a recorded run. Commit it before the work, so that a killed run leaves a record.
-- Returns the id of the run, or NULL if there is nothing to do: then only the time of the check is
-- written. Marks runs whose backend is gone as crashed.
--
-- Runs with the rights of the caller, because the server shows the start of a session only to its
-- own role. So the caller reports its own start, and the runs whose backend has been replaced.
create or replace function registry_stats.begin_run(job text, trigger text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if registry_stats.check_jobs(array[begin_run.job], begin_run.trigger) = '{}' then
    return null;
  end if;

  return registry_stats.record_begin(
    begin_run.job,
    begin_run.trigger,
    (select backend_start from pg_stat_activity where pid = pg_backend_pid()),
    array(
      select run.id
      from registry_stats.run
      join pg_stat_activity as activity on activity.pid = run.backend_pid
      where run.outcome is null
        and activity.backend_start <> run.backend_start
    )
  );
end
$$;

comment on function registry_stats.begin_run(text, text) is
  'Records the start of a run; NULL if there is nothing to do.';
