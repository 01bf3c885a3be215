-- Marks each table untrusted whose triggers or identity differ from those of the last rebuild, and
-- every table if the guards do. Returns all untrusted tables.
create or replace function registry_stats.check_sources()
returns text[]
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_are_guards_changed constant boolean := registry_stats.guards_changed();
  v_source record;
begin
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
          when v_are_guards_changed
            then 'the rollups may have been written outside registry-stats, or the database was restored'
          when v_source.fingerprint is null then 'a capture trigger is missing or disabled'
          else 'the table or its capture was changed, or the database was restored'
        end
      )
    where name = v_source.name;
    raise warning 'registry_stats: % is untrusted and must be rebuilt: %',
      v_source.name,
      (select source.reason from registry_stats.source where source.name = v_source.name);
  end loop;

  return array(
    select source.name from registry_stats.source where not source.is_exact order by source.name
  );
end
$$;

comment on function registry_stats.check_sources() is
  'Marks tables whose capture cannot be relied on; returns all untrusted ones.';
