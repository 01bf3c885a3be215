-- Moves the pending deltas into the rollups, and marks the affected views as due. Returns the
-- number of deltas. The caller holds registry_stats.try_lock().
--
-- One statement with one snapshot deletes and adds the deltas: each is added exactly once, and only
-- if it is deleted. Later commits wait for the next fold. That statement reads the rollups as they
-- were before it, which is the meaning of "before" below.
create or replace function registry_stats.fold()
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
-- Rollups are read by key. The other joins would read one row per object, and the work would grow
-- with the tables. Table statistics mislead the planner, because delta is emptied often.
set enable_hashjoin = off
set enable_mergejoin = off
-- A session keeps its plan, which may have been made while the rollups were empty.
set enable_seqscan = off
set work_mem = '64MB'
set jit = off
as $$
declare
  v_folded bigint;
  v_folded_of jsonb;
  v_changed text[];
  v_marks jsonb;
  v_negative text[];
  v_emptied tid[];
begin
  -- The snapshot of repeatable read may be older than the lock, and miss a rebuild. Object counts
  -- may change with a net change of zero, in rows that the rebuild did not write. Both write this
  -- row, so the second one fails and is retried.
  --
  -- The snapshot is not newer than that of the deletion below. So a delta that remains is of a
  -- transaction that it does not contain. A snapshot lists neither its own transaction nor those
  -- that start later.
  perform set_config('registry_stats.is_writing', 'on', true);
  update registry_stats.epoch
  set
    number = number + 1,
    folded_to = seen.last,
    unfolded = array(
      select open.xid from pg_snapshot_xip(seen.snapshot) as open (xid) where open.xid <= seen.last
    )
  from (
    select
      now.snapshot,
      (
        least(pg_snapshot_xmax(now.snapshot), pg_current_xact_id())::text::bigint - 1
      )::text::xid8 as last
    from (select pg_current_snapshot() as snapshot) as now
  ) as seen
  where name = 'rollups';

  with drained as (
    delete from registry_stats.delta
    returning *
  ),

  count_change as (
    select
      drained.source,
      drained.institution_id,
      drained.facet,
      drained.subfacet,
      sum(drained.row_count) as row_count
    from drained
    group by drained.source, drained.institution_id, drained.facet, drained.subfacet
    having sum(drained.row_count) <> 0
  ),

  counted as (
    insert into registry_stats.count_rollup as rollup (
      source, institution_id, facet, subfacet, row_count
    )
    select source, institution_id, facet, subfacet, row_count
    from count_change
    order by source, institution_id, facet, subfacet
    on conflict on constraint count_rollup_key do update
    set row_count = rollup.row_count + excluded.row_count
    returning rollup.source, rollup.row_count
  ),

  -- Deposits: only active files.
  deposit_change as (
    select
      coalesce(drained.object_id::bigint, -2147483649) as object_key,
      drained.institution_id,
      drained.storage_option,
      sum(drained.row_count) as file_count,
      sum(drained.byte_count) as total_bytes
    from drained
    join registry_stats.source
      on source.name = drained.source
      and source.object_column is not null
    where drained.facet = 'A'
      and drained.institution_id is not null
      and drained.storage_option is not null
    group by 1, drained.institution_id, drained.storage_option
    having sum(drained.row_count) <> 0 or sum(drained.byte_count) <> 0
  ),

  deposited as (
    insert into registry_stats.deposit_rollup as rollup (
      object_key, institution_id, storage_option, file_count, total_bytes
    )
    select object_key, institution_id, storage_option, file_count, total_bytes
    from deposit_change
    order by object_key, institution_id, storage_option
    on conflict on constraint deposit_rollup_pkey do update
    set
      file_count = rollup.file_count + excluded.file_count,
      total_bytes = rollup.total_bytes + excluded.total_bytes
    returning rollup.ctid as row_id, rollup.file_count
  ),

  -- All rollup rows of the affected objects, and their changes: an object counts once in a total,
  -- however many of its files change.
  touched as (
    select
      object.object_key,
      rollup.institution_id,
      rollup.storage_option,
      rollup.file_count as before,
      0 as change
    from (select distinct deposit_change.object_key from deposit_change) as object
    cross join lateral (
      select found.institution_id, found.storage_option, found.file_count
      from registry_stats.deposit_rollup as found
      where found.object_key = object.object_key
      -- Keeps this join order. A plan made while the rollup was empty would start with the rollup,
      -- and scan all changes for each of its rows.
      offset 0
    ) as rollup
    union all
    select object_key, institution_id, storage_option, 0, file_count
    from deposit_change
  ),

  object_group as (
    select
      touched.object_key,
      touched.institution_id,
      touched.storage_option,
      sum(touched.before) as before,
      sum(touched.before + touched.change) as after,
      count(*) over (partition by touched.object_key) as groups
    from touched
    where touched.object_key <> -2147483649
    group by touched.object_key, touched.institution_id, touched.storage_option
  ),

  -- Most objects have all their files in one institution and storage option. They appear in all
  -- their totals, or disappear, together with that group. So they are summed up before the cube.
  group_change as (
    select
      step.institution_id,
      step.storage_option,
      sum(step.file_count) as file_count,
      sum(step.object_count) as object_count,
      sum(step.total_bytes) as total_bytes
    from (
      select institution_id, storage_option, file_count, 0 as object_count, total_bytes
      from deposit_change
      union all
      select institution_id, storage_option, 0, (after > 0)::int - (before > 0)::int, 0
      from object_group
      where groups = 1
    ) as step
    group by step.institution_id, step.storage_option
  ),

  total_change as (
    select
      part.institution_id,
      part.storage_option,
      sum(part.file_count) as file_count,
      sum(part.object_count) as object_count,
      sum(part.total_bytes) as total_bytes
    from (
      select
        institution_id,
        storage_option,
        sum(file_count) as file_count,
        sum(object_count) as object_count,
        sum(total_bytes) as total_bytes
      from group_change
      group by cube (institution_id, storage_option)
      union all
      -- The other objects count once in each total.
      select
        institution_id,
        storage_option,
        0,
        (sum(after) > 0)::int - (sum(before) > 0)::int,
        0
      from object_group
      where groups > 1
      group by object_key, cube (institution_id, storage_option)
    ) as part
    group by part.institution_id, part.storage_option
    having sum(part.file_count) <> 0
      or sum(part.object_count) <> 0
      or sum(part.total_bytes) <> 0
  ),

  totalled as (
    insert into registry_stats.deposit_total as total (
      institution_id, storage_option, file_count, object_count, total_bytes
    )
    select institution_id, storage_option, file_count, object_count, total_bytes
    from total_change
    order by institution_id, storage_option
    on conflict on constraint deposit_total_key do update
    set
      file_count = total.file_count + excluded.file_count,
      object_count = total.object_count + excluded.object_count,
      total_bytes = total.total_bytes + excluded.total_bytes
    returning 1
  )

  select
    (select count(*) from drained),
    (
      select jsonb_object_agg(part.source, part.folded)
      from (select source, count(*) as folded from drained group by source) as part
    ),
    array(select distinct source from count_change)
      || case when exists (select from totalled) then array['deposits'] end,
    (
      select coalesce(jsonb_object_agg(marked.source, marked.reason), '{}')
      from (
        select drained.source, drained.rebuild_because as reason
        from drained
        where drained.rebuild_because is not null
        union all
        select drained.source, 'a deposit has no institution or storage option'
        from drained
        join registry_stats.source
          on source.name = drained.source
          and source.object_column is not null
        where drained.facet = 'A'
          and (drained.institution_id is null or drained.storage_option is null)
      ) as marked
    ),
    array(select distinct source from counted where row_count < 0)
      || array(
        select name
        from registry_stats.source
        where object_column is not null
          and exists (select from deposited where file_count < 0)
      ),
    array(select row_id from deposited where file_count = 0)
  into v_folded, v_folded_of, v_changed, v_marks, v_negative, v_emptied;

  delete from registry_stats.count_rollup where row_count = 0;
  -- By row id: a scan would read one row per object. No other session moves rows meanwhile. With a
  -- partial index on file_count, every update of a row would write to all indexes.
  delete from registry_stats.deposit_rollup
  where ctid = any (v_emptied)
    and file_count = 0;
  delete from registry_stats.deposit_total
  where file_count = 0
    and (institution_id is not null or storage_option is not null);

  -- Also views that are due already: a refresh with an older repeatable read snapshot then fails
  -- and is retried. Otherwise it would clear is_due without these changes.
  update registry_stats.view
  set
    is_due = true,
    changes = changes + coalesce((v_folded_of ->> source)::bigint, 0)
  where case when name = 'current_deposit_stats' then 'deposits' else source end = any (v_changed);

  update registry_stats.source
  set
    is_exact = false,
    reason = coalesce(v_marks ->> name, 'a count fell below zero: changes were not captured')
  where is_exact
    and (v_marks ? name or name = any (v_negative));

  perform set_config('registry_stats.is_writing', 'off', true);
  return v_folded;
end
$$;

comment on function registry_stats.fold() is
  'Moves the pending deltas into the rollups; returns how many.';
