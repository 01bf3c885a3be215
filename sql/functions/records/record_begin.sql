-- Writes the records of registry_stats.begin_run. `backend_start` is the start of the caller's
-- session. `replaced` are unfinished runs whose process id now belongs to a later session.
create or replace function registry_stats.record_begin(
  job text,
  trigger text,
  backend_start timestamptz,
  replaced bigint[]
)
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
  where id in (
    select dead.id
    from registry_stats.run as dead
    where dead.outcome is null
      and (
        dead.id = any (record_begin.replaced)
        or not exists (
          select
          from pg_stat_activity as activity
          where activity.pid = dead.backend_pid
            -- NULL: a session of another role, maybe that of the run.
            and coalesce(activity.backend_start = dead.backend_start, true)
        )
      )
      -- The work may run on another connection of the same daemon: then that holds the lock.
      and not exists (
        select
        from pg_locks
        where pg_locks.locktype = 'advisory'
          and pg_locks.database = (select oid from pg_database where datname = current_database())
          and pg_locks.classid = 1919247220
          and pg_locks.objid = 102
          and pg_locks.granted
          and pg_locks.pid <> pg_backend_pid()
      )
    for update skip locked
  );

  if registry_stats.jobs_with_work(array[record_begin.job]) = '{}' then
    perform registry_stats.record_check(array[record_begin.job], record_begin.trigger);
    return null;
  end if;

  -- Never waits for an open transaction.
  delete from registry_stats.run
  where id in (
    select old.id
    from registry_stats.run as old
    where old.started_at < clock_timestamp() - interval '90 days'
    for update skip locked
  );
  insert into registry_stats.run (job, trigger, backend_pid, backend_start, started_at)
  values (
    record_begin.job,
    record_begin.trigger,
    pg_backend_pid(),
    record_begin.backend_start,
    clock_timestamp()
  )
  returning id into v_id;
  return v_id;
end
$$;

comment on function registry_stats.record_begin(text, text, timestamptz, bigint[]) is
  'Writes the records of registry_stats.begin_run.';
