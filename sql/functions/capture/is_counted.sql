-- Whether what is written to a relation that has the triggers of a source but not its name is counted:
-- yes, if it is one of its partitions. A partition that was detached and a table that was renamed keep
-- their triggers. To drop these would lock tables that are none of ours to lock, so they do nothing.
--
-- The catalog is asked, not a record of ours: the lock that takes a table away waits for its writers
-- and keeps new ones waiting, so each of them knows, whatever its snapshot.
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

  -- The rollups hold its rows until the next rebuild. Should it be back before anybody notices, this
  -- mark, the same as of a truncate, tells that it was written to meanwhile.
  perform registry_stats.mark(source.name, 'it was written to under another name')
  from registry_stats.source
  where source.name = is_counted.source
    and strpos(';' || source.fingerprint, format(';%s/', is_counted.relation)) > 0;

  return false;
end
$$;

comment on function registry_stats.is_counted(text, oid) is
  'Whether writes to a relation with the triggers of a table, but another name, count.';
