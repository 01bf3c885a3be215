-- Takes the lock that keeps folds, refreshes and rebuilds apart, or returns false at once: a second
-- session never waits and never repeats the work. The end of the transaction releases it.
--
-- In repeatable read the snapshot may be older than the lock, and miss commits. Each path writes
-- the rows it relies on, so it fails with a serialization failure and is retried, instead of
-- computing from old rows.
create or replace function registry_stats.try_lock()
returns boolean
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select pg_try_advisory_xact_lock(1919247220, 102)
$$;

comment on function registry_stats.try_lock() is
  'Takes the lock of fold, refresh and rebuild for this transaction; false if it is taken.';
