-- Marks every table untrusted when a delta is written outside our functions. Always returns true: the
-- check of registry_stats.captured_table calls it for each row that no trigger writes.
create or replace function registry_stats.guard_deltas()
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update registry_stats.source
  set is_exact = false, reason = 'the rollups were written outside registry-stats'
  where is_exact
    and current_setting('registry_stats.is_writing', true) is distinct from 'on';
  return true;
end
$$;

comment on function registry_stats.guard_deltas() is
  'Marks every table untrusted when a delta is written outside our functions.';
