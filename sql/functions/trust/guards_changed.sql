-- Returns whether the guards are not those that the last rebuild recorded: then every rollup may be
-- wrong.
create or replace function registry_stats.guards_changed()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return registry_stats.guards() is distinct from (
    select epoch.guards from registry_stats.epoch where epoch.name = 'rollups'
  );
end
$$;

comment on function registry_stats.guards_changed() is
  'Whether the guards of our tables are not those of the last rebuild.';
