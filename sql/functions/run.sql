-- Runs one of the two jobs over views: folds what is pending and refreshes what moved on. The daemon
-- and the public functions both come here. Outcomes:
--   refreshed  views_refreshed are new, as of data_as_of
--   skipped    unchanged: nothing was pending and nothing due, so what is shown is exact
--              busy: another session is at it
--              inexact: tables (in detail) must be rebuilt first; nothing is served as exact
--              capturing: the views still scan the tables (see registry_stats.swap_views)
create or replace function registry_stats.run(
  in job text,
  in run_id bigint default null,
  out outcome text,
  out reason text,
  out detail text,
  out rows_folded bigint,
  out views_refreshed text[],
  out data_as_of timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- With it on, PostgreSQL takes a quoted name for the half of another, and a concurrent refresh fails.
set quote_all_identifiers = off
as $$
declare
  v_inexact text[];
  v_view text;
begin
  outcome := 'skipped';
  rows_folded := 0;
  views_refreshed := '{}';

  if not registry_stats.try_lock() then
    reason := 'busy';
    return;
  end if;

  if exists (select from registry_stats.view where not is_incremental) then
    reason := 'capturing';
    return;
  end if;

  -- Before the deltas are read: whatever is committed by now is in the figures. In repeatable read
  -- they are as old as the transaction.
  data_as_of := case
    when current_setting('transaction_isolation') in ('repeatable read', 'serializable')
      then transaction_timestamp()
    else clock_timestamp()
  end;

  v_inexact := registry_stats.check_sources();
  if registry_stats.has_pending() then
    rows_folded := registry_stats.fold();
    v_inexact := registry_stats.check_sources();
  end if;

  select string_agg(source.name || ': ' || source.reason, '; ' order by source.name)
  into detail
  from registry_stats.source
  where source.name = any (v_inexact)
    and source.name in (
      select view.source
      from registry_stats.view
      where (view.name = 'current_deposit_stats') = (run.job = 'update_current_deposit_stats')
    );
  if detail is not null then
    reason := 'inexact';
    data_as_of := null;
    return;
  end if;

  views_refreshed := coalesce(registry_stats.due_views(run.job), '{}');
  foreach v_view in array views_refreshed loop
    execute format('refresh materialized view concurrently public.%I', v_view);
  end loop;

  if cardinality(views_refreshed) = 0 then
    reason := 'unchanged';
    return;
  end if;

  update registry_stats.view
  set is_due = false, refreshed_at = clock_timestamp(), data_as_of = run.data_as_of
  where view.name = any (views_refreshed);
  outcome := 'refreshed';
end
$$;

comment on function registry_stats.run(text, bigint) is
  'Folds what is pending and refreshes the views of a job that moved on; says what it did.';
