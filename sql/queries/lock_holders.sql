-- Sessions that may have kept a statement waiting for a lock longer than $1 milliseconds, as text;
-- NULL if there is none. The server does not report them in the error of a lock timeout, and which lock
-- it was. So this lists strong locks on Registry's and our relations, held or waited for. Only if there
-- are none, it lists weak locks of transactions that are older than the wait. The server shows the begin
-- of a transaction only to its own role and to members of pg_read_all_stats.
with candidate as (
  select
    pg_locks.pid,
    case when pg_locks.granted then 'holds' else 'waits for' end as state,
    case pg_locks.locktype
      when 'advisory' then 'the lock of migrate'
      else format('%s on %s.%s', pg_locks.mode, pg_namespace.nspname, pg_class.relname)
    end as lock,
    pg_locks.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      as is_strong
  from pg_locks
  left join pg_class
    on pg_class.oid = pg_locks.relation
    and pg_locks.locktype = 'relation'
  left join pg_namespace on pg_namespace.oid = pg_class.relnamespace
  where pg_locks.database = (select oid from pg_database where datname = current_database())
    and pg_locks.pid <> pg_backend_pid()
    and (
      pg_namespace.nspname in ('public', 'registry_stats') and pg_class.relkind in ('r', 'p', 'm')
      -- The key of src/schema/migrate.ts.
      or pg_locks.locktype = 'advisory' and pg_locks.classid = 1919247220 and pg_locks.objid = 101
    )
),

session as (
  select
    candidate.pid,
    candidate.state,
    candidate.is_strong,
    activity.xact_start,
    activity.usename,
    string_agg(distinct candidate.lock, ', ') as locks
  from candidate
  join pg_stat_activity as activity on activity.pid = candidate.pid
  where candidate.is_strong
    or candidate.state = 'holds'
    and activity.xact_start < clock_timestamp() - $1 * interval '1 ms'
  group by candidate.pid, candidate.state, candidate.is_strong, activity.xact_start, activity.usename
),

listed as (
  select *
  from session
  where is_strong or not exists (select from session where is_strong)
  order by xact_start, pid
  limit 5
)

select string_agg(
  format(
    'process %s of role %s %s %s%s',
    pid,
    coalesce(usename::text, 'unknown'),
    state,
    locks,
    ', its transaction began ' || to_char(xact_start at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"')
  ),
  '; '
  order by xact_start, pid
) as holders
from listed
