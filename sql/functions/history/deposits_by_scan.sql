-- Returns the deposits at any number of dates from one scan of the files, as
-- registry_stats.deposits_at has them.
--
-- Each active file belongs to the bucket before the first date that is later than its creation. It
-- counts for that date and all later ones, in running sums over the buckets. An object counts in a
-- total from the bucket of its first file there.
create or replace function registry_stats.deposits_by_scan(dates date[])
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
rows 10000
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
set jit = off
as $$
#variable_conflict use_column
declare
  v_dates date[] := array(select distinct date from unnest(deposits_by_scan.dates) as date order by date);
  v_edges timestamp[] := v_dates;
begin
  return query
    with file_bucket as materialized (
      select object_key, institution_id, storage_option, bucket, file_count, total_bytes
      from registry_stats.file_buckets(v_edges)
    ),

    -- Most objects have all their files in one institution and one storage option. Those are counted
    -- with the files, one row per bucket, before the totals are computed.
    first_bucket as (
      select
        file_bucket.object_key,
        min(file_bucket.bucket) as bucket,
        min(file_bucket.institution_id) as institution_id,
        min(file_bucket.storage_option) as storage_option,
        min(file_bucket.institution_id) = max(file_bucket.institution_id)
          and min(file_bucket.storage_option) = max(file_bucket.storage_option) as is_in_one_group
      from file_bucket
      where file_bucket.object_key <> -2147483649
      group by file_bucket.object_key
    ),

    grouped as (
      select
        institution_id,
        storage_option,
        bucket,
        sum(file_count) as file_count,
        0 as object_count,
        sum(total_bytes) as total_bytes
      from file_bucket
      group by institution_id, storage_option, bucket
      union all
      select institution_id, storage_option, bucket, 0, count(*), 0
      from first_bucket
      where is_in_one_group
      group by institution_id, storage_option, bucket
    ),

    -- The other objects count once in each total, from the bucket of their first file there.
    first_in_total as (
      select
        file_bucket.institution_id,
        file_bucket.storage_option,
        min(file_bucket.bucket) as bucket
      from file_bucket
      join first_bucket on first_bucket.object_key = file_bucket.object_key
      where not first_bucket.is_in_one_group
      group by
        file_bucket.object_key,
        cube (file_bucket.institution_id, file_bucket.storage_option)
    ),

    change as (
      select
        institution_id,
        storage_option,
        bucket,
        sum(file_count) as file_count,
        sum(object_count) as object_count,
        sum(total_bytes) as total_bytes
      from grouped
      group by bucket, cube (institution_id, storage_option)
      union all
      select institution_id, storage_option, bucket, 0, count(*), 0
      from first_in_total
      group by institution_id, storage_option, bucket
    ),

    -- A total has a row in every bucket after its first one, even without changes.
    lasting as (
      select
        begun.institution_id,
        begun.storage_option,
        later.bucket,
        0 as file_count,
        0 as object_count,
        0 as total_bytes
      from (
        select institution_id, storage_option, min(bucket) as bucket
        from change
        group by institution_id, storage_option
      ) as begun
      cross join lateral generate_series(begun.bucket, cardinality(v_edges) - 1) as later (bucket)
    ),

    running as (
      select
        institution_id,
        storage_option,
        v_dates[bucket + 1] as end_date,
        sum(sum(file_count)) over total as file_count,
        sum(sum(object_count)) over total as object_count,
        sum(sum(total_bytes)) over total as total_bytes
      from (select * from change union all select * from lasting) as step
      group by institution_id, storage_option, bucket
      window total as (partition by institution_id, storage_option order by bucket)
    )

    select * from running
    union all
    -- A date before the first file has only the grand total.
    select null, null, empty.date, 0, 0, 0
    from unnest(v_dates) as empty (date)
    where not exists (select from running where running.end_date = empty.date);
end
$$;

comment on function registry_stats.deposits_by_scan(date[]) is
  'The deposits at any number of dates, from one scan of the files.';
