-- Fills the history: every missing month from one scan, then the zero rows. Same outcomes as
-- registry_stats.run. The lock keeps two runs apart: the second one sees the rows of the first.
create or replace function registry_stats.run_history(
  out outcome text,
  out reason text,
  out detail text,
  out months_inserted int,
  out rows_inserted bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_months date[];
begin
  outcome := 'skipped';
  months_inserted := 0;
  rows_inserted := 0;

  if not registry_stats.try_lock() then
    reason := 'busy';
    return;
  end if;

  detail := registry_stats.problems_of('populate_all_historical_deposit_stats');
  if detail is not null then
    reason := 'inexact';
  end if;

  v_months := array(select registry_stats.missing_months());
  if cardinality(v_months) = 0 then
    reason := coalesce(reason, 'complete');
    return;
  end if;

  months_inserted := cardinality(v_months);
  rows_inserted := registry_stats.insert_history(v_months) + registry_stats.insert_zero_rows();
  outcome := 'refreshed';
end
$$;

comment on function registry_stats.run_history() is
  'Inserts every missing month of the history and the zero rows; returns what it did.';
