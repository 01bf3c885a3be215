-- Forgets which deltas are folded, unless a fold writes the row: it may come from a restored dump or
-- another server, with other transaction ids. Trigger registry_stats_guard_epoch on
-- registry_stats.epoch, before each row.
create or replace function registry_stats.guard_epoch()
returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if current_setting('registry_stats.is_writing', true) is distinct from 'on' then
    new.folded_to := '0';
    new.unfolded := '{}';
  end if;
  return new;
end
$$;

comment on function registry_stats.guard_epoch() is
  'Allows only a fold to record which deltas are folded.';
