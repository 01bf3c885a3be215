-- Identifies cluster and database of a server, and its position in the write-ahead log: written on a
-- primary, replayed on a standby. $1 is the position of another server, or NULL.
select
  pg_catalog.pg_is_in_recovery() as "isInRecovery",
  control.system_identifier::text as "cluster",
  pg_database.oid::text as "database",
  wal.position::text as "position",
  pg_catalog.pg_wal_lsn_diff($1::pg_catalog.pg_lsn, wal.position)::text as "bytesBehind",
  pg_catalog.pg_last_xact_replay_timestamp() as "lastReplayed"
from pg_catalog.pg_control_system() as control
cross join lateral (
  select
    case
      when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
      else pg_catalog.pg_current_wal_lsn()
    end as position
) as wal
join pg_catalog.pg_database on pg_database.datname = pg_catalog.current_database()
