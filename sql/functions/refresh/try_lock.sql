-- Takes the one lock that keeps folds, refreshes and rebuilds apart, or gives false at once: whoever
-- comes second never waits and never repeats the work. It goes with the transaction, so nothing gets
-- stuck.
--
-- In repeatable read the snapshot is older than the lock. What another session committed in between
-- is then not seen; but each path writes the rows it relies on, so it fails with a serialization
-- failure, to be tried again, instead of computing from the past.
create or replace function registry_stats.try_lock()
returns boolean
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_try_advisory_xact_lock(1919247220, 102)
$$;

comment on function registry_stats.try_lock() is
  'Takes the lock of fold, refresh and rebuild for this transaction; false if somebody has it.';
