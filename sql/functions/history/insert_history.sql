-- Inserts the deposit statistics of any number of dates, at today's prices, from one scan of the
-- files. Returns the number of rows. The caller has checked that the dates have no rows, and holds
-- registry_stats.try_lock(), so that no other session inserts them.
--
-- Each active file belongs to the bucket before the first date that is later than its creation. It
-- counts for that date and all later ones, in running sums over the buckets. An object counts in a
-- total from the bucket of its first file there.
create or replace function registry_stats.insert_history(dates date[])
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
set jit = off
as $$
declare
  v_dates date[] := array(select distinct date from unnest(insert_history.dates) as date order by date);
  v_edges timestamp[] := v_dates;
  v_rows bigint;
begin
  insert into public.historical_deposit_stats (
    institution_id,
    institution_name,
    storage_option,
    object_count,
    file_count,
    total_bytes,
    total_gb,
    total_tb,
    cost_gb_per_month,
    monthly_cost,
    end_date,
    member_institution_id,
    primary_sort,
    secondary_sort
  )
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
  ),

  complete as (
    select * from running
    union all
    -- A date before the first file has only the grand total.
    select null, null, empty.date, 0, 0, 0
    from unnest(v_dates) as empty (date)
    where not exists (select from running where running.end_date = empty.date)
  )

  select
    complete.institution_id,
    case when complete.institution_id is null then 'All Institutions' else institution.name end
      ::varchar(80),
    coalesce(complete.storage_option, 'Total')::varchar(40),
    complete.object_count,
    complete.file_count,
    complete.total_bytes,
    complete.total_bytes / 1073741824,
    complete.total_bytes / 1099511627776,
    coalesce(option.cost_gb_per_month, 0),
    coalesce(complete.total_bytes / 1073741824 * option.cost_gb_per_month, 0),
    complete.end_date,
    institution.member_institution_id,
    case when complete.institution_id is null then 'zzz' else institution.name end,
    coalesce(complete.storage_option, 'zzz')
  from complete
  left join public.institutions as institution
    on institution.id = complete.institution_id
  left join public.storage_options as option
    on option.name = complete.storage_option;

  get diagnostics v_rows = row_count;

  -- The snapshot of repeatable read may be older than the lock, and miss rows that another session
  -- inserted. No key prevents two grand totals of a month. Both sessions write this row, so the
  -- second one fails and is retried.
  update registry_stats.epoch set number = number + 1 where name = 'history';

  return v_rows;
end
$$;

comment on function registry_stats.insert_history(date[]) is
  'Inserts the deposit statistics of dates that the history lacks, from one scan.';
