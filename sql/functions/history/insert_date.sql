-- Inserts the statistics of one date, at today's prices. Returns 1 = inserted, 0 = there already,
-- or another session is running.
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
  -- A separate statement, whose snapshot is taken after the lock. The one above would not see a
  -- date that another session has just inserted.
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
