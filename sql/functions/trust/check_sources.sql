-- Finds out whether capture can still be trusted: marks each table whose triggers or identity are not
-- those of the last rebuild. Returns the tables that are not exact.
create or replace function registry_stats.check_sources()
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_source record;
begin
  -- Somebody disabled the triggers that notice who writes our tables: then all of it may be wrong.
  if registry_stats.guards() is distinct from (
    select epoch.guards from registry_stats.epoch where epoch.name = 'rollups'
  ) then
    update registry_stats.source
    set is_exact = false, reason = 'the rollups may have been written by somebody else, or the database was restored'
    where is_exact;
  end if;

  for v_source in
    select found.name, found.fingerprint
    from registry_stats.fingerprints() as found
    join registry_stats.source on source.name = found.name
    where source.is_exact
      and not found.is_trusted
  loop
    update registry_stats.source
    set
      is_exact = false,
      reason = coalesce(
        registry_stats.obstacle(v_source.name),
        case
          when v_source.fingerprint is null then 'a capture trigger is missing or disabled'
          else 'the table or its capture was changed, or the database was restored'
        end
      )
    where name = v_source.name;
    raise warning 'registry_stats: the statistics of % are not exact and must be rebuilt: %',
      v_source.name,
      (select source.reason from registry_stats.source where source.name = v_source.name);
  end loop;

  return array(
    select source.name from registry_stats.source where not source.is_exact order by source.name
  );
end
$$;

comment on function registry_stats.check_sources() is
  'Marks tables whose capture cannot be trusted; returns all that are not exact.';
