-- The deposit totals with pending deltas added: exact at the moment of reading. Reads one row per
-- object, because distinct objects cannot be added up.
create or replace view registry_stats.live_deposit_total as
select
  live.institution_id,
  live.storage_option,
  coalesce(sum(live.file_count), 0)::bigint as file_count,
  count(distinct nullif(live.object_key, -2147483649)) as object_count,
  coalesce(sum(live.total_bytes), 0) as total_bytes
from registry_stats.live_deposit as live
group by cube (live.institution_id, live.storage_option);

comment on view registry_stats.live_deposit_total is
  'registry_stats.deposit_total, pending deltas included.';
