-- The session that keeps our runs from a lock, with the oldest transaction first. While a run waits,
-- it is the session that blocks it. After a run that failed for a lock, it is a session that still
-- holds a lock on one of our views. The server shows state, times and query of other roles only to
-- members of pg_read_all_stats.
with ours as (
  select pid
  from pg_catalog.pg_stat_activity
  where datname = pg_catalog.current_database()
    and usename = current_user
    and application_name = 'registry-stats'
),

waiting as (
  select pg_locks.pid, pg_locks.relation, pg_locks.waitstart
  from pg_catalog.pg_locks
  join ours on ours.pid = pg_locks.pid
  where not pg_locks.granted
    and exists (select from registry_stats.run where outcome is null)
),

blocking as (
  select blocker.pid, waiting.relation, waiting.waitstart
  from waiting
  cross join lateral pg_catalog.unnest(pg_catalog.pg_blocking_pids(waiting.pid)) as blocker (pid)
  union all
  select pg_locks.pid, pg_locks.relation, null
  from pg_catalog.pg_locks
  where pg_locks.granted
    and pg_locks.mode <> 'AccessShareLock'
    and pg_locks.database = (
      select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()
    )
    and pg_locks.relation in (
      select pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(name))
      from registry_stats.view
    )
    and exists (
      select
      from registry_stats.job
      where outcome = 'failed'
        and reason like '%(55P03)%'
    )
)

select
  activity.pid,
  activity.usename::text as "user",
  nullif(activity.application_name, '') as application,
  pg_catalog.host(activity.client_addr) as address,
  activity.state,
  activity.xact_start as since,
  nullif(pg_catalog.left(activity.query, 300), '<insufficient privilege>') as query,
  blocking.relation::pg_catalog.regclass::text as "lockOn",
  blocking.waitstart as "waitingSince"
from blocking
join pg_catalog.pg_stat_activity as activity on activity.pid = blocking.pid
where activity.pid not in (select pid from ours)
order by activity.xact_start nulls last, activity.pid
limit 1
