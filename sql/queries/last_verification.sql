-- The last verification on record. One that found differences no longer counts once all tables were
-- rebuilt after it.
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
