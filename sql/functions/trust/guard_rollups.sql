-- Marks every table untrusted when rollups or deltas are written outside our functions, for example
-- by a partial restore or by replication. Our functions set registry_stats.is_writing. The next run
-- rebuilds every table. Trigger registry_stats_guard, after each statement, always enabled.
create or replace function registry_stats.guard_rollups()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('registry_stats.is_writing', true) is distinct from 'on' then
    update registry_stats.source
    set is_exact = false, reason = 'the rollups were written outside registry-stats'
    where is_exact;
  end if;
  return null;
end
$$;

comment on function registry_stats.guard_rollups() is
  'Marks every table untrusted when rollups or deltas are written outside our functions.';
