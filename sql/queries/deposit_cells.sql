-- Current deposits of each institution in each storage option. $1: how many rows.
select
  coalesce(institution_name, 'institution ' || institution_id) as institution,
  storage_option as option,
  object_count::float8 as objects,
  file_count::float8 as files,
  total_bytes::float8 as bytes,
  monthly_cost::float8 as "monthlyCost"
from public.current_deposit_stats
where institution_id is not null
  and storage_option <> 'Total'
order by primary_sort, institution_id, secondary_sort
limit $1
