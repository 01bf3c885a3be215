-- Returns the identity of each captured table, its captured columns and its capture triggers: NULL
-- if a trigger is missing, disabled or of another kind, or a captured column is gone. `is_trusted`:
-- the rollups are exact, were built for this identity, and were guarded since.
-- It changes with everything that can change rows without capture: a dropped trigger, a trigger
-- disabled and enabled again (its catalog row is a new version), a restored dump, a rewritten
-- table, a partition or child that came or went, a crash that emptied an unlogged table. One query
-- for all tables, because it takes most of the time of a check.
create or replace function registry_stats.fingerprints(sources text[] default null)
returns table (name text, fingerprint text, is_trusted boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
-- A custom plan would take longer to make than to run. Index scans: catalogs are large.
set plan_cache_mode = force_generic_plan
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
declare
  v_are_guards_changed constant boolean := registry_stats.guards_changed();
begin
  return query
    select
      identified.name,
      identified.fingerprint,
      identified.is_exact
        and identified.recorded is not distinct from identified.fingerprint
        and not v_are_guards_changed
    from (
      select
        source.name,
        source.is_exact,
        source.fingerprint as recorded,
        case
          when counted.relhassubclass
            and counted.relkind <> 'p'
            and exists (select from pg_inherits where inhparent = counted.oid)
            then null
          when counted.relpersistence = 'u' and not registry_stats.has_witness(source.name)
            then null
          else columns.identity || ';' || captured.identity
        end as fingerprint
      from registry_stats.source
      left join pg_class as counted
        on counted.oid = to_regclass('public.' || quote_ident(source.name))
      left join lateral (
        select string_agg(
          found.attnum || ' ' || found.attname || ' ' || found.atttypid, ',' order by found.attnum
        ) as identity
        from unnest(source.captured) as of_table (number)
        -- One lookup per number: any other plan reads all columns of the table.
        cross join lateral (
          select attnum, attname, atttypid
          from pg_attribute
          where attrelid = counted.oid
            and attnum = of_table.number
            and not attisdropped
          offset 0
        ) as found
        having count(*) = cardinality(array_remove(source.captured, null))
      ) as columns on true
      left join lateral (
        select string_agg(
          format('%s/%s/%s', part.oid, part.relfilenode, triggers.identity), ';' order by part.oid
        ) as identity
        from (
          select counted.oid as relid where counted.relkind <> 'p'
          union all
          select tree.relid::oid from pg_partition_tree(counted.oid) as tree where counted.relkind = 'p'
        ) as tree
        join pg_class as part on part.oid = tree.relid
        left join lateral (
          select
            string_agg(tgname || '=' || oid || '.' || xmin, ',' order by tgname) as identity,
            array_agg(tgtype order by tgname) as kinds
          from pg_trigger
          where tgrelid = part.oid
            and tgname >= 'registry_stats_'
            and tgname < 'registry_stats`'
            and tgenabled in ('O', 'A')
        ) as triggers on true
        -- Sorted by name: delete, insert, truncate, update, update_added. Update is a row trigger
        -- (17), on a partitioned table a statement trigger (16).
        having bool_and(
          triggers.kinds is not distinct from
            case counted.relkind when 'p' then '{8,4,32,16,16}' else '{8,4,32,17}' end::int2[]
        )
      ) as captured on true
      where fingerprints.sources is null
        or source.name = any (fingerprints.sources)
    ) as identified;
end
$$;

comment on function registry_stats.fingerprints(text[]) is
  'Identity of each table, its captured columns and its triggers; NULL if capture is incomplete.';
