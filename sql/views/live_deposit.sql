-- The deposit rollup with pending deltas added: exact at the moment of reading.
create or replace view registry_stats.live_deposit as
select
  step.object_key,
  step.institution_id,
  step.storage_option,
  sum(step.file_count)::bigint as file_count,
  sum(step.total_bytes) as total_bytes
from (
  select object_key, institution_id, storage_option, file_count, total_bytes
  from registry_stats.deposit_rollup
  union all
  select
    coalesce(object_id::bigint, -2147483649),
    institution_id,
    storage_option,
    row_count,
    byte_count
  from registry_stats.delta
  where facet = 'A'
    and source in (select name from registry_stats.source where object_column is not null)
) as step
group by step.object_key, step.institution_id, step.storage_option
having sum(step.file_count) <> 0 or sum(step.total_bytes) <> 0;

comment on view registry_stats.live_deposit is
  'registry_stats.deposit_rollup, pending deltas included.';
