-- Current deposits, largest first, with the bytes of recent months. $1: 'institution' or
-- 'storage_option', $2: how many rows, $3: how many months. The cost of an institution is the sum
-- over its options, and NULL if one of them has no price. A real NULL key has a row next to the
-- total of all, hence max().
with deposit as (
  select
    case $1 when 'institution' then institution_id::text else storage_option end as key,
    max(case $1 when 'institution' then institution_name else storage_option end) as name,
    max(object_count) as objects,
    max(file_count) as files,
    max(total_bytes) as bytes,
    max(cost_gb_per_month) as price
  from public.current_deposit_stats
  where case $1
      when 'institution' then institution_id is not null and storage_option = 'Total'
      else institution_id is null and storage_option <> 'Total'
    end
  group by 1
),

cost as (
  select
    key,
    case when bool_and(dollars is not null) then sum(dollars) end as dollars
  from (
    select
      case $1 when 'institution' then institution_id::text else storage_option end as key,
      max(monthly_cost) as dollars
    from public.current_deposit_stats
    where storage_option <> 'Total'
      and (institution_id is not null) = ($1 = 'institution')
    group by 1, institution_id, storage_option
  ) as part
  group by key
),

month as (
  select distinct end_date
  from public.historical_deposit_stats
  where end_date is not null
  order by end_date desc
  limit $3
),

past as (
  select
    case $1 when 'institution' then institution_id::text else storage_option end as key,
    end_date,
    max(total_bytes) as bytes
  from public.historical_deposit_stats
  where end_date >= (select min(end_date) from month)
    and case $1
      when 'institution' then institution_id is not null and storage_option = 'Total'
      else institution_id is null and storage_option <> 'Total'
    end
  group by 1, end_date
)

select
  coalesce(deposit.name, 'institution ' || deposit.key) as name,
  deposit.objects::float8 as objects,
  deposit.files::float8 as files,
  deposit.bytes::float8 as bytes,
  cost.dollars::float8 as "monthlyCost",
  deposit.price::float8 as "pricePerGb",
  array(
    select coalesce(past.bytes, 0)::float8
    from month
    left join past
      on past.key = deposit.key
      and past.end_date = month.end_date
    order by month.end_date
  ) as "recentBytes"
from deposit
left join cost on cost.key = deposit.key
order by deposit.bytes desc, deposit.key
limit $2
