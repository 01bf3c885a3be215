-- Locks a relation, waiting 0.3 s at most: while we wait, everybody who comes after us waits too. Less
-- than deadlock_timeout (1 s), so we give way before a writer is ended for us. Where it does not get the
-- lock it says who is in the way; the caller tries again after a pause that is longer than the wait.
create or replace function registry_stats.lock_briefly(relation regclass, mode text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '300ms'
as $$
begin
  execute format('lock table %s in %s mode', lock_briefly.relation, lock_briefly.mode);
exception when lock_not_available then
  raise exception 'registry_stats: no lock on % within 0.3 s', lock_briefly.relation
    using
      errcode = 'lock_not_available',
      detail = registry_stats.blockers(lock_briefly.relation);
end
$$;

comment on function registry_stats.lock_briefly(regclass, text) is
  'Locks a relation, waiting 0.3 s at most; the error says who is in the way.';
