-- Makes a record of a table untrusted unless our functions write it: it may come from a restored
-- dump. Trigger registry_stats_guard_record on registry_stats.source, before each row.
create or replace function registry_stats.guard_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.is_exact and current_setting('registry_stats.is_writing', true) is distinct from 'on' then
    new.is_exact := false;
    new.reason := 'its record was written outside registry-stats';
  end if;
  return new;
end
$$;

comment on function registry_stats.guard_record() is
  'Allows only a rebuild to record a table as exact.';
