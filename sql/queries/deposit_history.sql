-- Stored bytes over the months and now, one row per series with a number for every month, 0 where the
-- table has none. The last number is the current one. $1: 'storage_option' or 'institution', $2: how
-- many series are shown, largest first, $3: the name of the sum of the others. The unique index of the
-- table admits a second row where the institution is NULL, hence max().
with figure as materialized (
  select
    case $1 when 'institution' then institution_id::text else storage_option end as key,
    case $1 when 'institution' then max(institution_name) else max(storage_option) end as name,
    end_date,
    max(total_bytes) as bytes
  from (
    select institution_id, institution_name, storage_option, total_bytes, end_date
    from public.historical_deposit_stats
    where end_date is not null
    union all
    select institution_id, institution_name, storage_option, total_bytes, 'infinity'
    from public.current_deposit_stats
  ) as deposit
  where case $1
      when 'institution' then institution_id is not null and storage_option = 'Total'
      else institution_id is null and storage_option <> 'Total'
    end
  group by 1, end_date
),

month as (
  select distinct end_date
  from public.historical_deposit_stats
  where end_date is not null
  union
  select 'infinity'
),

ranked as (
  select
    key,
    coalesce((array_agg(name order by end_date desc))[1], 'institution ' || key) as name,
    row_number() over (
      order by (array_agg(bytes order by end_date desc))[1] desc, max(bytes) desc, key
    ) as place
  from figure
  group by key
  having max(bytes) > 0
),

shown as (
  select
    least(ranked.place, $2 + 1) as place,
    case when ranked.place <= $2 then ranked.name else $3 end as name,
    month.end_date,
    sum(coalesce(figure.bytes, 0)) as bytes
  from ranked
  cross join month
  left join figure
    on figure.key = ranked.key
    and figure.end_date = month.end_date
  group by 1, 2, 3
)

select name, array_agg(bytes::float8 order by end_date) as bytes
from shown
group by place, name
order by place
