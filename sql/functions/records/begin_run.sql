-- First half of a daemon's run: to be committed before the work, so that a killed run leaves its
-- record. Returns the id of the run, or NULL if there is nothing to do: then only the time of the check
-- is written. Runs whose server process is gone are marked crashed.
--
-- With the rights of the caller: the server shows the start of a session to its own role only, so
-- the caller tells when its session began, and which processes are not those of a run any more.
create or replace function registry_stats.begin_run(job text, trigger text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if registry_stats.is_idle(begin_run.job, begin_run.trigger) then
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
  'Records that a run begins, or that there is nothing to do (NULL).';
