-- Registry's function: inserts the statistics of one date, at today's prices. Returns 1 = inserted,
-- 0 = there already, or another session is at it.
create or replace function public.populate_historical_deposit_stats(stop_date date)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  if not registry_stats.try_lock() or exists (
    select
    from public.historical_deposit_stats as history
    where history.end_date = populate_historical_deposit_stats.stop_date
  ) then
    return 0;
  end if;

  perform registry_stats.insert_history(array[populate_historical_deposit_stats.stop_date]);
  return 1;
end
$$;

comment on function public.populate_historical_deposit_stats(date) is
  'Inserts the deposit statistics of one date: 1 = inserted, 0 = there already.';
