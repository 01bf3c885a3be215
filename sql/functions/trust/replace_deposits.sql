-- Replaces the deposit rollup and its totals with the counts of registry_stats.rebuild. Writes only
-- rows that differ: a rebuild of correct figures leaves no dead rows and takes half the time.
create or replace function registry_stats.replace_deposits()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
  create temporary table registry_stats_deposit on commit drop as
  select
    partial.object_key,
    partial.institution_id,
    partial.storage_option,
    sum(partial.row_count)::bigint as file_count,
    sum(partial.byte_count) as total_bytes
  from pg_temp.registry_stats_partial as partial
  where partial.object_key is not null
  group by partial.object_key, partial.institution_id, partial.storage_option;
  analyze pg_temp.registry_stats_deposit;

  delete from registry_stats.deposit_rollup as rollup
  where not exists (
    select
    from pg_temp.registry_stats_deposit as deposit
    where deposit.object_key = rollup.object_key
      and deposit.institution_id = rollup.institution_id
      and deposit.storage_option = rollup.storage_option
      and deposit.file_count = rollup.file_count
      and deposit.total_bytes = rollup.total_bytes
  );

  insert into registry_stats.deposit_rollup (
    object_key, institution_id, storage_option, file_count, total_bytes
  )
  select object_key, institution_id, storage_option, file_count, total_bytes
  from pg_temp.registry_stats_deposit as deposit
  where not exists (
    select
    from registry_stats.deposit_rollup as rollup
    where rollup.object_key = deposit.object_key
      and rollup.institution_id = deposit.institution_id
      and rollup.storage_option = deposit.storage_option
  )
  order by object_key, institution_id, storage_option;

  delete from registry_stats.deposit_total;
  insert into registry_stats.deposit_total (
    institution_id, storage_option, file_count, object_count, total_bytes
  )
  select
    deposit.institution_id,
    deposit.storage_option,
    coalesce(sum(deposit.file_count), 0),
    count(distinct nullif(deposit.object_key, -2147483649)),
    coalesce(sum(deposit.total_bytes), 0)
  from pg_temp.registry_stats_deposit as deposit
  group by cube (deposit.institution_id, deposit.storage_option);

  drop table pg_temp.registry_stats_deposit;
end
$$;

comment on function registry_stats.replace_deposits() is
  'Second half of a rebuild of generic_files: the deposit rollup and its totals.';
