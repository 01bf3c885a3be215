-- The last verification on record. Once all tables were rebuilt, an older one that found differences says
-- nothing of the figures.
select finished_at, differences
from (
  select finished_at, differences
  from registry_stats.verification
  order by id desc
  limit 1
) as last
where differences = 0
  or exists (
    select
    from registry_stats.source
    where rebuilt_at is null
      or rebuilt_at < last.finished_at
  )
