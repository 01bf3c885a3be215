import type pg from 'pg';
import type { TransactionOptions } from './database.js';

/**
 * A transaction as other sessions see it. Behind a pooler a backend serves many clients in turn: its
 * process id alone would not tell our transaction from the next client's.
 */
export interface Place {
  readonly pid: number;
  /** When it began: microseconds since 1970, too many for a number. */
  readonly since: string;
}

/** From and where of a query on the place [$1, $2]: no row once the transaction has ended. */
export const atPlace = `
  from pg_catalog.pg_stat_activity
  where pid = $1
    and (extract(epoch from xact_start) * 1000000)::bigint = $2`;

/**
 * Names mean PostgreSQL's own objects, or are qualified: whatever schemas a role or a database has
 * on its search_path, no function, operator or table in them can take the place of the one meant.
 */
export const safeSearchPath = 'pg_catalog, pg_temp';

/**
 * Begins a transaction that carries its own timeouts and search_path on the server, in one round
 * trip; gives its place.
 */
export async function begin(
  client: pg.ClientBase,
  access: 'read only' | 'read write',
  { isolation, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
): Promise<Place> {
  const script = `
    begin isolation level ${isolation ?? 'read committed'} ${access};
    set local statement_timeout = ${statementTimeoutMs};
    set local lock_timeout = ${lockTimeoutMs};
    set local search_path = ${safeSearchPath};
    set local client_connection_check_interval = '5s';
    select
      pg_catalog.pg_backend_pid() as pid,
      (extract(epoch from pg_catalog.transaction_timestamp()) * 1000000)::bigint as since`;
  // The driver gives one result a statement.
  const results = (await client.query(script)) as unknown as pg.QueryResult<Place>[];
  const place = results.at(-1)?.rows[0];
  if (place === undefined) throw new Error('the server did not tell where the transaction is');
  return place;
}
