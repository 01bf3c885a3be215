-- The record of each job. failing_since is the start of the first of its consecutive failures.
select
  job.name,
  job.outcome,
  job.reason,
  job.last_check,
  job.last_refresh,
  job.data_as_of,
  job.consecutive_failures,
  (
    select min(failed.started_at)
    from (
      select run.started_at
      from registry_stats.run
      where run.job = job.name
        and run.outcome = 'failed'
      order by run.id desc
      limit job.consecutive_failures
    ) as failed
  ) as failing_since
from registry_stats.job
