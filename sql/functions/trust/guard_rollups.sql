-- Rollups and deltas are written by nobody but our functions, which say so by a setting of their own
-- (registry_stats.is_writing). Whoever else writes them, such as a dump restored in parts or
-- replication, makes all of it untrusted: the next run computes it again. Trigger registry_stats_guard,
-- after each statement, also where ordinary triggers are off.
create or replace function registry_stats.guard_rollups()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('registry_stats.is_writing', true) is distinct from 'on' then
    update registry_stats.source
    set is_exact = false, reason = 'the rollups were written by somebody else'
    where is_exact;
  end if;
  return null;
end
$$;

comment on function registry_stats.guard_rollups() is
  'Makes the rollups untrusted when somebody else writes them.';
