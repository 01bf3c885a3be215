-- Computes the rollups of one table anew from its rows and drops the deltas that these contain. Gives
-- the number of rows scanned. Raises lock_not_available while a fold or another rebuild runs.
--
-- In repeatable read everything below sees one snapshot and nobody waits: rows and deltas of a
-- transaction are both in it or both not. In read committed each statement has a snapshot of its
-- own, so the table is locked against writers for the whole scan: right, but a wait for Registry.
-- The scan goes by ranges of blocks and tells its progress: "registry_stats.rebuild <table> <blocks
-- done> <blocks in all>".
create or replace function registry_stats.rebuild(source text)
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_fingerprint text := registry_stats.fingerprint(rebuild.source);
  v_blocks bigint;
  v_step bigint;
  v_from bigint := 0;
  v_rows bigint := 0;
  v_scan text;
begin
  if v_fingerprint is null then
    raise exception 'registry_stats: capture of % is incomplete', rebuild.source
      using
        errcode = 'object_not_in_prerequisite_state',
        hint = format('select registry_stats.attach_capture(%L)', rebuild.source);
  end if;

  if not registry_stats.try_lock() then
    raise exception 'registry_stats: a refresh or another rebuild is running'
      using errcode = 'lock_not_available';
  end if;

  if current_setting('transaction_isolation') not in ('repeatable read', 'serializable') then
    execute format('lock table public.%I in share mode', rebuild.source);
  end if;

  create temporary table registry_stats_partial (
    institution_id int,
    facet varchar,
    subfacet varchar,
    object_key bigint,
    storage_option varchar,
    row_count bigint,
    byte_count numeric
  ) on commit drop;

  v_scan := case rebuild.source
    when 'generic_files' then
      'select
        institution_id,
        state,
        null,
        case when state = ''A'' then coalesce(intellectual_object_id::bigint, -2147483649) end,
        case when state = ''A'' then storage_option end,
        count(*),
        coalesce(sum(size), 0)'
    when 'intellectual_objects' then 'select institution_id, state, null, null::bigint, null, count(*), 0'
    when 'premis_events' then 'select institution_id, event_type, outcome, null::bigint, null, count(*), 0'
    when 'work_items' then 'select institution_id, action, null, null::bigint, null, count(*), 0'
  end || format(' from public.%I where ctid >= $1', rebuild.source);

  v_blocks := pg_relation_size(format('public.%I', rebuild.source)::regclass)
    / current_setting('block_size')::int;
  v_step := greatest(v_blocks / 50, 2048);
  loop
    -- The last range has no end: the table may have grown meanwhile.
    if v_from + v_step < v_blocks then
      execute 'insert into pg_temp.registry_stats_partial ' || v_scan
        || ' and ctid < $2 group by 1, 2, 3, 4, 5'
      using format('(%s,0)', v_from)::tid, format('(%s,0)', v_from + v_step)::tid;
    else
      execute 'insert into pg_temp.registry_stats_partial ' || v_scan || ' group by 1, 2, 3, 4, 5'
      using format('(%s,0)', v_from)::tid;
    end if;
    v_from := v_from + v_step;
    raise notice 'registry_stats.rebuild % % %',
      rebuild.source, least(v_from, v_blocks), v_blocks;
    exit when v_from >= v_blocks;
  end loop;

  delete from registry_stats.delta where delta.source = rebuild.source;

  delete from registry_stats.count_rollup where count_rollup.source = rebuild.source;
  insert into registry_stats.count_rollup (source, institution_id, facet, subfacet, row_count)
  select rebuild.source, institution_id, facet, subfacet, sum(row_count)
  from pg_temp.registry_stats_partial
  group by institution_id, facet, subfacet;

  select coalesce(sum(row_count), 0) into v_rows from pg_temp.registry_stats_partial;

  if rebuild.source = 'generic_files' then
    delete from registry_stats.deposit_rollup;
    insert into registry_stats.deposit_rollup (
      object_key, institution_id, storage_option, file_count, total_bytes
    )
    select object_key, institution_id, storage_option, sum(row_count), sum(byte_count)
    from pg_temp.registry_stats_partial
    where object_key is not null
    group by object_key, institution_id, storage_option;

    delete from registry_stats.deposit_total;
    insert into registry_stats.deposit_total (
      institution_id, storage_option, file_count, object_count, total_bytes
    )
    select
      institution_id,
      storage_option,
      coalesce(sum(file_count), 0),
      count(distinct nullif(object_key, -2147483649)),
      coalesce(sum(total_bytes), 0)
    from registry_stats.deposit_rollup
    group by cube (institution_id, storage_option);
  end if;

  drop table pg_temp.registry_stats_partial;

  update registry_stats.source
  set
    is_exact = true,
    reason = null,
    fingerprint = v_fingerprint,
    rebuilt_at = clock_timestamp()
  where name = rebuild.source;

  update registry_stats.view set is_due = true where view.source = rebuild.source;

  return v_rows;
end
$$;

comment on function registry_stats.rebuild(text) is
  'Computes the rollups of one table anew; in repeatable read without a lock on its writers.';
