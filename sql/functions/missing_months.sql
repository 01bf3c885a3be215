-- Every first of a month from 2014-01 to now, in UTC, that the history has no row of.
create or replace function registry_stats.missing_months()
returns setof date
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select month::date
    from generate_series(
      timestamp '2014-01-01',
      current_timestamp at time zone 'utc',
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
  'Firsts of months since 2014 that the history lacks.';
