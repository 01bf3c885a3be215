-- Current deposits of all institutions in all options: the view's own total. Objects are not the sum
-- over the options, as an object may be in two. The view has no total cost, so that is the sum, and
-- NULL if an option has no price.
select
  max(object_count) filter (where storage_option = 'Total')::float8 as objects,
  max(file_count) filter (where storage_option = 'Total')::float8 as files,
  max(total_bytes) filter (where storage_option = 'Total')::float8 as bytes,
  case
    when bool_and(monthly_cost is not null) filter (where storage_option <> 'Total')
    then sum(monthly_cost) filter (where storage_option <> 'Total')
  end::float8 as "monthlyCost"
from public.current_deposit_stats
where institution_id is null
having count(*) > 0
