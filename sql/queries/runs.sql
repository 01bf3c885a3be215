-- Recorded runs, newest first. $1: job or NULL, $2: outcome, 'running' or NULL, $3: only smaller ids or
-- NULL, $4: how many.
select
  id,
  job,
  trigger,
  started_at,
  finished_at,
  outcome,
  reason,
  changes,
  views_refreshed,
  data_as_of
from registry_stats.run
where ($1::text is null or job = $1)
  and ($2::text is null or outcome is not distinct from nullif($2, 'running'))
  and ($3::bigint is null or id < $3)
order by id desc
limit $4
