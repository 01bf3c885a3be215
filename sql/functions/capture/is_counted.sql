-- Returns whether writes count to a relation that has the triggers of a source, but another name:
-- true for its partitions. A detached partition and a renamed table keep their triggers. Dropping
-- them would lock tables that are not ours, so the triggers do nothing.
--
-- Checks the catalog, not our records: a detach or rename waits for writers and blocks new ones, so
-- each writer sees the right state, whatever its snapshot.
create or replace function registry_stats.is_counted(source text, relation oid)
returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_partition_root(is_counted.relation)
    = to_regclass(format('public.%I', is_counted.source))
  then
    return true;
  end if;

  -- The rollups include its rows until the next rebuild. It may get its name back before a run
  -- notices: this mark shows that it was written to in between.
  perform registry_stats.mark(source.name, 'it was written to under another name')
  from registry_stats.source
  where source.name = is_counted.source
    and strpos(';' || source.fingerprint, format(';%s/', is_counted.relation)) > 0;

  return false;
end
$$;

comment on function registry_stats.is_counted(text, oid) is
  'Whether writes count to a relation with the triggers of a table, but another name.';
