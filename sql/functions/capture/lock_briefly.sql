-- Locks a relation, waiting at most 0.3 s: later lock requests wait for ours. This is less than
-- deadlock_timeout (1 s), so our wait ends before PostgreSQL cancels a writer. The error names the
-- sessions that hold the lock. The caller retries after a pause longer than the wait.
create or replace function registry_stats.lock_briefly(relation regclass, mode text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '300ms'
as $$
begin
  execute format('lock table %s in %s mode', lock_briefly.relation, lock_briefly.mode);
exception when lock_not_available then
  raise exception 'registry_stats: could not lock % within 0.3 s', lock_briefly.relation
    using
      errcode = 'lock_not_available',
      detail = registry_stats.blockers(lock_briefly.relation);
end
$$;

comment on function registry_stats.lock_briefly(regclass, text) is
  'Locks a relation, waiting at most 0.3 s; the error names who holds the lock.';
