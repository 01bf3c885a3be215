-- Deposits of all institutions, per storage option.
select
  storage_option as name,
  object_count::float8 as objects,
  file_count::float8 as files,
  total_bytes::float8 as bytes,
  monthly_cost::float8 as "monthlyCost"
from public.current_deposit_stats
where institution_id is null
  and storage_option is not null
order by secondary_sort, storage_option
limit 50
