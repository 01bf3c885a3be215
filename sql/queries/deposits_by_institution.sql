-- The largest deposits, per institution.
select
  institution_name as name,
  object_count::float8 as objects,
  file_count::float8 as files,
  total_bytes::float8 as bytes,
  monthly_cost::float8 as "monthlyCost"
from public.current_deposit_stats
where institution_id is not null
  and institution_name is not null
  and storage_option = 'Total'
order by total_bytes desc, institution_id
limit 100
