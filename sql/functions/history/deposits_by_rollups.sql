-- Returns the deposits at a recent date from the rollups, as registry_stats.deposits_at has them:
-- the totals of now, less the files that do not count at the date. Its work grows with the pending
-- changes and the newer files, not with the table.
--
-- An object counts once in each total, however many of its files are newer. So presence before and
-- after is compared for each object with a change, as in registry_stats.fold.
create or replace function registry_stats.deposits_by_rollups(date date)
returns table (
  institution_id bigint,
  storage_option varchar,
  end_date date,
  file_count numeric,
  object_count numeric,
  total_bytes numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
-- Rollups are read by key, as in registry_stats.fold.
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
set jit = off
as $$
#variable_conflict use_column
begin
  return query
    with change as materialized (
      select
        step.object_key,
        step.institution_id,
        step.storage_option,
        sum(step.file_count) as file_count,
        sum(step.total_bytes) as total_bytes
      from (
        select
          newer.object_key,
          newer.institution_id,
          newer.storage_option,
          -newer.file_count as file_count,
          -newer.total_bytes as total_bytes
        from registry_stats.newer_files(deposits_by_rollups.date) as newer
        union all
        select
          coalesce(delta.object_id, -2147483649),
          delta.institution_id,
          delta.storage_option,
          delta.row_count,
          delta.byte_count
        from registry_stats.delta
        where delta.source = 'generic_files'
          and delta.facet = 'A'
      ) as step
      group by step.object_key, step.institution_id, step.storage_option
      having sum(step.file_count) <> 0 or sum(step.total_bytes) <> 0
    ),

    touched as (
      select
        object.object_key,
        rollup.institution_id,
        rollup.storage_option,
        rollup.file_count as before,
        0 as file_count,
        0 as total_bytes
      from (select distinct change.object_key from change) as object
      cross join lateral (
        select found.institution_id, found.storage_option, found.file_count
        from registry_stats.deposit_rollup as found
        where found.object_key = object.object_key
        -- Keeps this join order.
        offset 0
      ) as rollup
      union all
      select object_key, institution_id, storage_option, 0, file_count, total_bytes
      from change
    ),

    object_change as (
      select
        touched.institution_id,
        touched.storage_option,
        sum(touched.file_count) as file_count,
        case
          when touched.object_key = -2147483649 then 0
          else (sum(touched.before + touched.file_count) > 0)::int - (sum(touched.before) > 0)::int
        end as object_count,
        sum(touched.total_bytes) as total_bytes
      from touched
      group by touched.object_key, cube (touched.institution_id, touched.storage_option)
    ),

    total as (
      select
        part.institution_id,
        part.storage_option,
        sum(part.file_count) as file_count,
        sum(part.object_count) as object_count,
        sum(part.total_bytes) as total_bytes
      from (
        select institution_id, storage_option, file_count, object_count, total_bytes
        from registry_stats.deposit_total
        union all
        select institution_id, storage_option, file_count, object_count, total_bytes
        from object_change
      ) as part
      group by part.institution_id, part.storage_option
    )

    select
      total.institution_id,
      total.storage_option,
      deposits_by_rollups.date,
      total.file_count,
      total.object_count,
      total.total_bytes
    from total
    where total.file_count > 0
      -- Without any file there is only the grand total.
      or total.institution_id is null and total.storage_option is null
    union all
    select null, null, deposits_by_rollups.date, 0, 0, 0
    where not exists (
      select from total where total.institution_id is null and total.storage_option is null
    );
end
$$;

comment on function registry_stats.deposits_by_rollups(date) is
  'The deposits at a recent date: the totals of now, less the newer files.';
