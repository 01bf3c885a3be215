-- Registry's function: inserts the statistics of one date, at today's prices. Returns 1 = inserted,
-- 0 = there already, or another session is running.
create or replace function public.populate_historical_deposit_stats(stop_date date)
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.insert_date(populate_historical_deposit_stats.stop_date)
$$;

comment on function public.populate_historical_deposit_stats(date) is
  'Inserts the deposit statistics of one date: 1 = inserted, 0 = there already.';

create or replace function public.populate_historical_deposit_stats(stop_date timestamp)
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.insert_date(populate_historical_deposit_stats.stop_date::date)
$$;

comment on function public.populate_historical_deposit_stats(timestamp) is
  'The same, for the date of a timestamp.';
