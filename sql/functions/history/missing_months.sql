-- Returns the first day of each month from 2014-01 to now, in UTC, that has no row in the history.
create or replace function registry_stats.missing_months()
returns setof date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_now timestamp := current_timestamp at time zone 'utc';
begin
  -- Usually none is missing. The grand totals show that, and are adjacent in the unique index.
  if (
    select count(distinct history.end_date)
    from public.historical_deposit_stats as history
    where history.institution_id is null
      and history.storage_option = 'Total'
      and history.end_date between date '2014-01-01' and v_now::date
      and date_part('day', history.end_date) = 1
  ) = 12 * (date_part('year', v_now) - 2014) + date_part('month', v_now) then
    return;
  end if;

  return query
    select month::date
    from generate_series(
      timestamp '2014-01-01',
      v_now,
      interval '1 month'
    ) as month
    where not exists (
      select
      from public.historical_deposit_stats as history
      where history.end_date = month::date
    )
    order by month;
end
$$;

comment on function registry_stats.missing_months() is
  'First days of the months since 2014 that have no row in the history.';
