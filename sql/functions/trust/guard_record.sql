-- That a table is exact is said by nobody but registry_stats.rebuild. A record that comes from
-- elsewhere, such as a restored dump, says that it is not. Trigger registry_stats_guard_record on
-- registry_stats.source, before each row.
create or replace function registry_stats.guard_record()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if new.is_exact and current_setting('registry_stats.is_writing', true) is distinct from 'on' then
    new.is_exact := false;
    new.reason := 'its record was written by somebody else';
  end if;
  return new;
end
$$;

comment on function registry_stats.guard_record() is
  'Nobody but a rebuild says that a table is exact.';
