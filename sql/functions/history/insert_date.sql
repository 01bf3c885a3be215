-- Inserts the statistics of one date, at today's prices, for public.populate_historical_deposit_stats.
-- Answers 1 = inserted, 0 = there already, or another session is at it.
create or replace function registry_stats.insert_date(stop_date date)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
begin
  if not registry_stats.try_lock() then
    return 0;
  end if;
  -- A statement of its own, with a snapshot taken after the lock: in the one above, the date that another
  -- session has just inserted would not be seen.
  if exists (
    select
    from public.historical_deposit_stats as history
    where history.end_date = insert_date.stop_date
  ) then
    return 0;
  end if;

  perform registry_stats.insert_history(array[insert_date.stop_date]);
  return 1;
end
$$;

comment on function registry_stats.insert_date(date) is
  'Inserts the deposit statistics of one date for Registry''s function: 1 = inserted, 0 = not.';
