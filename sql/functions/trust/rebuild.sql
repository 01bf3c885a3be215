-- Computes the rollups of one table again from its rows, and deletes the deltas that they include.
-- Returns the number of rows. Raises lock_not_available while a fold or another rebuild runs.
--
-- In repeatable read all statements use one snapshot, so no writer waits: the rows and deltas of a
-- transaction are both in it or both not. In read committed each statement has its own snapshot, so
-- the table is locked against writers for the whole scan.
-- The scan reads ranges of blocks and reports its progress as a notice:
-- "registry_stats.progress <table> <blocks done> <all blocks> blocks".
create or replace function registry_stats.rebuild(source text)
returns bigint
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
set jit = off
as $$
declare
  v_fingerprint text := registry_stats.fingerprint(rebuild.source);
  -- As before the scan, not after it: a trigger may be disabled meanwhile.
  v_guards text := registry_stats.guards();
  v_blocks bigint;
  v_step bigint;
  v_from bigint := 0;
  v_rows bigint := 0;
  v_unassigned bigint := 0;
begin
  if registry_stats.obstacle(rebuild.source) is not null then
    raise exception 'registry_stats: % cannot be counted: %',
      rebuild.source, registry_stats.obstacle(rebuild.source)
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if v_fingerprint is null or v_guards = 'incomplete' then
    raise exception 'registry_stats: capture of %, or a guard of our tables, is incomplete',
      rebuild.source
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = format('select registry_stats.attach_capture(%L)', rebuild.source);
  end if;

  if not registry_stats.try_lock() then
    raise exception 'registry_stats: a refresh or another rebuild is running'
      using errcode = 'lock_not_available';
  end if;

  -- The snapshot of repeatable read may be older than the lock. Every fold and rebuild writes this
  -- row: if one committed in between, this fails at once with a serialization failure and is
  -- retried. Otherwise it would fail after the scan with a duplicate key.
  insert into registry_stats.epoch (name) values ('rollups')
  on conflict (name) do update set number = epoch.number + 1;
  perform registry_stats.check_sources();

  if current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    -- Only the owner may block Registry's writers, not every role that may rebuild.
    if not pg_has_role(session_user, current_user, 'usage') then
      raise exception 'registry_stats: a rebuild needs a transaction in repeatable read'
        using errcode = 'insufficient_privilege';
    end if;
    execute format('lock table public.%I in share mode', rebuild.source);
  end if;

  perform set_config('registry_stats.is_writing', 'on', true);

  create temporary table registry_stats_partial (
    institution_id bigint,
    facet varchar,
    subfacet varchar,
    object_key bigint,
    storage_option varchar,
    row_count bigint,
    byte_count numeric
  ) on commit drop;

  -- The largest partition, if there are any: each range of blocks is read in all of them.
  select max(pg_relation_size(part.relid)) / current_setting('block_size')::int
  into v_blocks
  from (
    select format('public.%I', rebuild.source)::regclass as relid
    union
    select tree.relid from pg_partition_tree(format('public.%I', rebuild.source)::regclass) as tree
  ) as part;
  v_step := greatest(v_blocks / 20, 8192);
  -- The size is newer than the snapshot, or the table is locked: no row is after the last block.
  loop
    raise notice 'registry_stats.progress % % % blocks',
      rebuild.source, least(v_from, v_blocks), v_blocks;
    exit when v_from >= v_blocks;
    insert into pg_temp.registry_stats_partial
    select part.* from registry_stats.scan_blocks(rebuild.source, v_from, v_from + v_step) as part;
    v_from := v_from + v_step;
  end loop;

  delete from registry_stats.delta where delta.source = rebuild.source;

  delete from registry_stats.count_rollup where count_rollup.source = rebuild.source;
  insert into registry_stats.count_rollup (source, institution_id, facet, subfacet, row_count)
  select rebuild.source, institution_id, facet, subfacet, sum(row_count)
  from pg_temp.registry_stats_partial
  group by institution_id, facet, subfacet;

  select coalesce(sum(row_count), 0) into v_rows from pg_temp.registry_stats_partial;

  -- Registry allows NULL here. The totals use NULL for "all", so these deposits cannot be counted.
  select coalesce(sum(row_count), 0)
  into v_unassigned
  from pg_temp.registry_stats_partial
  where object_key is not null
    and (institution_id is null or storage_option is null);
  delete from pg_temp.registry_stats_partial
  where object_key is not null
    and (institution_id is null or storage_option is null);

  if exists (
    select from registry_stats.source where source.name = rebuild.source and object_column is not null
  ) then
    perform registry_stats.replace_deposits();
  end if;

  drop table pg_temp.registry_stats_partial;

  -- Safe for the other tables: if the guards had changed, check_sources marked all untrusted above.
  -- What was folded may have been recorded while they were off.
  update registry_stats.epoch
  set
    guards = v_guards,
    folded_to = '0',
    unfolded = '{}'
  where name = 'rollups';
  update registry_stats.source
  set
    is_exact = v_unassigned = 0,
    reason = case
      when v_unassigned > 0
        then v_unassigned || ' deposits have no institution or storage option; set both'
    end,
    fingerprint = v_fingerprint,
    rebuilt_at = clock_timestamp()
  where name = rebuild.source;

  update registry_stats.view set is_due = true where view.source = rebuild.source;
  perform set_config('registry_stats.is_writing', 'off', true);

  return v_rows;
end
$$;

comment on function registry_stats.rebuild(text) is
  'Computes the rollups of one table again; in repeatable read it blocks no writer.';
