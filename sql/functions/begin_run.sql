-- First half of a daemon's run: to be committed before the work, so that a killed run leaves its
-- record. Gives the id of the run, or NULL if there is nothing to do: then only the time of the check
-- is written. Runs whose server process is gone are marked crashed.
create or replace function registry_stats.begin_run(job text, trigger text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id bigint;
begin
  update registry_stats.run
  set
    outcome = 'crashed',
    finished_at = clock_timestamp(),
    reason = 'its server process ended without finishing it'
  where outcome is null
    and not exists (
      select
      from pg_stat_activity as activity
      where activity.pid = run.backend_pid
        and activity.backend_start is not distinct from run.backend_start
    )
    -- The work itself may be on another connection of the same daemon: then it holds the lock.
    and not exists (
      select
      from pg_locks
      where pg_locks.locktype = 'advisory'
        and pg_locks.database = (select oid from pg_database where datname = current_database())
        and pg_locks.classid = 1919247220
        and pg_locks.objid = 102
        and pg_locks.granted
        and pg_locks.pid <> pg_backend_pid()
    );

  if not registry_stats.has_work(begin_run.job) then
    -- A check that is lost in a crash is made again: not worth a wait for the disk. But in a
    -- transaction of Registry's there may be more to lose than the check.
    if begin_run.trigger <> 'sql' then
      perform set_config('synchronous_commit', 'off', true);
    end if;
    update registry_stats.job
    set last_check = clock_timestamp(), outcome = 'skipped', reason = 'unchanged',
      data_as_of = transaction_timestamp(), consecutive_failures = 0
    where name in (
      -- Never waits: whoever holds the row, in a transaction that goes on, writes no older record.
      select job.name
      from registry_stats.job
      where job.name = begin_run.job
      for update skip locked
    );
    return null;
  end if;

  delete from registry_stats.run where started_at < clock_timestamp() - interval '90 days';
  insert into registry_stats.run (job, trigger, backend_pid, backend_start, started_at)
  values (
    begin_run.job,
    begin_run.trigger,
    pg_backend_pid(),
    (select backend_start from pg_stat_activity where pid = pg_backend_pid()),
    clock_timestamp()
  )
  returning id into v_id;
  return v_id;
end
$$;

comment on function registry_stats.begin_run(text, text) is
  'Records that a run begins, or that there is nothing to do (NULL).';
