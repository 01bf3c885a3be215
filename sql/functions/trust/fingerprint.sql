-- Identity of a captured table, its captured columns and its capture triggers, or NULL if a trigger is
-- missing, disabled or of another kind, or a captured column is gone. Whatever can change rows without
-- capture changes it too: a dropped trigger, one that was disabled and enabled again (its catalog row is
-- then a newer version), a restored dump, a rewritten table, a partition or a child that came or went, a
-- crash that emptied an unlogged table.
create or replace function registry_stats.fingerprint(source text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- Part of every check: a plan that fits the one table better takes longer to make than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_table oid := to_regclass('public.' || quote_ident(fingerprint.source));
  v_relations oid[] := array[v_table];
  -- Kinds in the order of the names: delete, insert, truncate, update, update_added. The update is by
  -- row (17), of a partitioned table by statement (16), see registry_stats.attach_capture.
  v_kinds int2[] := '{8,4,32,17}';
  v_found record;
begin
  select pg_class.relkind, pg_class.relpersistence, pg_class.relhassubclass, source.captured
  into v_found
  from registry_stats.source
  join pg_class on pg_class.oid = v_table
  where source.name = fingerprint.source;

  if v_found.relkind = 'p' then
    v_relations := array(select relid from pg_partition_tree(v_table));
    v_kinds := '{8,4,32,16,16}';
  elsif v_found.relhassubclass and exists (select from pg_inherits where inhparent = v_table) then
    return null;
  end if;
  -- A standby has no unlogged rows, and refuses any statement that names an unlogged table.
  if v_found.relpersistence = 'u' then
    if pg_is_in_recovery() then
      return null;
    end if;
    if not exists (
      select from registry_stats.crash_witness as witness where witness.source = fingerprint.source
    ) then
      return null;
    end if;
  end if;

  return (
    select
      case
        when bool_and(part.is_captured)
          then (
            select string_agg(attnum || ' ' || attname || ' ' || atttypid, ',' order by attnum)
            from pg_attribute
            where attrelid = v_table
              and attnum = any (v_found.captured)
              and not attisdropped
            having count(*) = cardinality(array_remove(v_found.captured, null))
          ) || ';' || string_agg(part.identity, ';' order by part.oid)
      end
    from (
      select
        pg_class.oid,
        coalesce(array_agg(pg_trigger.tgtype order by pg_trigger.tgname) = v_kinds, false)
          as is_captured,
        format('%s/%s/', pg_class.oid, pg_class.relfilenode)
          || string_agg(
            format('%s=%s.%s', pg_trigger.tgname, pg_trigger.oid, pg_trigger.xmin),
            ','
            order by pg_trigger.tgname
          ) as identity
      from pg_class
      left join pg_trigger
        on pg_trigger.tgrelid = pg_class.oid
        and pg_trigger.tgname in (
          'registry_stats_insert',
          'registry_stats_update',
          'registry_stats_update_added',
          'registry_stats_delete',
          'registry_stats_truncate'
        )
        and pg_trigger.tgenabled in ('O', 'A')
      where pg_class.oid = any (v_relations)
      group by pg_class.oid, pg_class.relfilenode
    ) as part
  );
end
$$;

comment on function registry_stats.fingerprint(text) is
  'Identity of a table, its captured columns and its triggers; NULL if capture is incomplete.';
