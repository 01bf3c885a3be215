-- Runs one of the two jobs over views: folds pending deltas and refreshes the views that are due.
-- registry_stats.run_recorded calls it. Outcomes:
--   refreshed  views_refreshed changed by so many changes, as of data_as_of. An earlier run of
--              another job may have folded them: rows_folded counts what this run folded.
--   skipped    unchanged: nothing was pending or due, so the figures are exact
--              busy: another session holds the lock
--              inexact: tables or views (in detail) are untrusted and must be repaired first
-- If some are untrusted, the others are refreshed: outcome refreshed, reason inexact.
create or replace function registry_stats.run(
  in job text,
  out outcome text,
  out reason text,
  out detail text,
  out rows_folded bigint,
  out changes bigint,
  out views_refreshed text[],
  out data_as_of timestamptz
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
-- With this on, PostgreSQL misreads quoted names, and a concurrent refresh fails.
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

  -- Read before the deltas: the figures include everything committed before this time. In
  -- repeatable read they are as old as the transaction.
  data_as_of := case
    when current_setting('transaction_isolation') in ('repeatable read', 'serializable')
      then transaction_timestamp()
    else clock_timestamp()
  end;

  if registry_stats.has_pending() then
    rows_folded := registry_stats.fold();
  end if;
  -- After the fold, which may find a table untrusted.
  v_inexact := registry_stats.check_sources();

  detail := registry_stats.problems_of(run.job);
  if detail is not null then
    reason := 'inexact';
  end if;

  views_refreshed := array(
    select due.name
    from unnest(registry_stats.due_views(run.job)) with ordinality as due (name, place)
    join registry_stats.view on view.name = due.name
    where view.source <> all (v_inexact)
    order by due.place
  );
  foreach v_view in array views_refreshed loop
    if not registry_stats.refresh_view(v_view) then
      views_refreshed := array_remove(views_refreshed, v_view);
    end if;
  end loop;

  if cardinality(views_refreshed) > 0 then
    changes := (
      select sum(view.changes) from registry_stats.view where view.name = any (views_refreshed)
    );
    update registry_stats.view
    set
      is_due = false,
      changes = 0,
      stamp = transaction_timestamp()
    where view.name = any (views_refreshed);
    outcome := 'refreshed';
  elsif detail is null then
    reason := 'unchanged';
  end if;
  if detail is not null then
    data_as_of := null;
  end if;
end
$$;

comment on function registry_stats.run(text) is
  'Folds pending deltas and refreshes the due views of a job; returns what it did.';
