-- Totals of all institutions on the first of each month, as the history has them, ascending. Cost is
-- the sum over the options at the prices of the history, and NULL if one has none.
select
  end_date::text as month,
  coalesce(max(object_count) filter (where storage_option = 'Total'), 0)::float8 as objects,
  coalesce(max(file_count) filter (where storage_option = 'Total'), 0)::float8 as files,
  coalesce(max(total_bytes) filter (where storage_option = 'Total'), 0)::float8 as bytes,
  case
    when bool_and(monthly_cost is not null or total_bytes = 0)
      filter (where storage_option <> 'Total') is not false
    then coalesce(sum(monthly_cost) filter (where storage_option <> 'Total'), 0)
  end::float8 as "monthlyCost"
from public.historical_deposit_stats
where institution_id is null
  and end_date is not null
group by end_date
order by end_date
