-- Computes the months of the history from a date on again, at today's prices, after a correction of
-- prices or rows. Returns what it replaced. Raises lock_not_available during another run.
create or replace function registry_stats.replace_history(
  in since date,
  out months_replaced int,
  out rows_deleted bigint,
  out rows_inserted bigint
)
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_months date[];
begin
  if not registry_stats.try_lock() then
    raise exception 'registry_stats: another run is in progress'
      using errcode = 'lock_not_available';
  end if;

  v_months := array(
    select distinct history.end_date
    from public.historical_deposit_stats as history
    where history.end_date >= replace_history.since
  );
  months_replaced := cardinality(v_months);

  delete from public.historical_deposit_stats where end_date >= replace_history.since;
  get diagnostics rows_deleted = row_count;

  if months_replaced > 0 then
    perform registry_stats.insert_history(v_months);
  end if;
  perform registry_stats.insert_zero_rows();

  -- The zero rows were deleted too, so they count.
  select count(*)
  into rows_inserted
  from public.historical_deposit_stats
  where end_date >= replace_history.since;
end
$$;

comment on function registry_stats.replace_history(date) is
  'Computes the months of the history from a date on again; returns what it replaced.';
