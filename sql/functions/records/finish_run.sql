-- Second half of a recorded run: writes the outcome to the run and its job. A run ends once: if its
-- commit arrived and only the response was lost, the client reports a failure that did not happen.
-- A run that was marked as crashed may still end.
create or replace function registry_stats.finish_run(
  run_id bigint,
  outcome text,
  reason text,
  rows_folded bigint default null,
  changes bigint default null,
  views_refreshed text[] default null,
  data_as_of timestamptz default null
)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  with finished as (
    update registry_stats.run
    set
      outcome = finish_run.outcome,
      reason = finish_run.reason,
      finished_at = clock_timestamp(),
      rows_folded = finish_run.rows_folded,
      changes = finish_run.changes,
      views_refreshed = finish_run.views_refreshed,
      data_as_of = finish_run.data_as_of
    where id = finish_run.run_id
      and (run.outcome is null or run.outcome = 'crashed')
    returning job
  ),

  -- Never waits: a transaction of Registry's may stay open after its own run.
  unlocked as (
    select job.name
    from registry_stats.job
    join finished on finished.job = job.name
    for update of job skip locked
  )

  update registry_stats.job
  set
    last_check = clock_timestamp(),
    last_refresh = case
      when finish_run.outcome = 'refreshed' then clock_timestamp()
      else job.last_refresh
    end,
    data_as_of = coalesce(finish_run.data_as_of, job.data_as_of),
    outcome = finish_run.outcome,
    reason = finish_run.reason,
    consecutive_failures = case
      when finish_run.outcome = 'failed' then job.consecutive_failures + 1
      when finish_run.outcome = 'cancelled' then job.consecutive_failures
      else 0
    end
  from unlocked
  where job.name = unlocked.name
$$;

comment on function registry_stats.finish_run(
  bigint, text, text, bigint, bigint, text[], timestamptz
) is
  'Records the outcome of a run.';
