-- Returns who holds a lock on a relation: process, role, start of its transaction and statement.
-- The server shows these times of other roles only to members of pg_read_all_stats.
create or replace function registry_stats.blockers(relation regclass)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(
    string_agg(
      format(
        'process %s of role %s holds %s%s%s',
        activity.pid,
        coalesce(activity.usename::text, activity.backend_type, 'unknown'),
        held.modes,
        ', its transaction began ' || to_char(activity.xact_start at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
        ', its statement ' || to_char(activity.query_start at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS "UTC"')
      ),
      '; '
      order by activity.pid
    ),
    'the lock is free again'
  )
  from (
    select pg_locks.pid, string_agg(distinct pg_locks.mode, ', ') as modes
    from pg_locks
    where pg_locks.relation = blockers.relation
      and pg_locks.database = (select oid from pg_database where datname = current_database())
      and pg_locks.granted
      and pg_locks.pid <> pg_backend_pid()
    group by pg_locks.pid
  ) as held
  join pg_stat_activity as activity on activity.pid = held.pid
$$;

comment on function registry_stats.blockers(regclass) is 'Who holds a lock on a relation, as text.';
