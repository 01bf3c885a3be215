import type pg from 'pg';
import type { TransactionOptions } from './database.js';

/**
 * Names mean PostgreSQL's own objects, or are qualified: whatever schemas a role or a database has
 * on its search_path, no function, operator or table in them can take the place of the one meant.
 */
export const safeSearchPath = 'pg_catalog, pg_temp';

/**
 * Begins a transaction that carries its own timeouts and search_path on the server, in one round
 * trip; gives the backend's process id.
 */
export async function begin(
  client: pg.ClientBase,
  access: 'read only' | 'read write',
  { isolation, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
): Promise<number> {
  const script = `
    begin isolation level ${isolation ?? 'read committed'} ${access};
    set local statement_timeout = ${statementTimeoutMs};
    set local lock_timeout = ${lockTimeoutMs};
    set local search_path = ${safeSearchPath};
    set local client_connection_check_interval = '5s';
    select pg_catalog.pg_backend_pid() as pid`;
  // The driver gives one result a statement.
  const results = (await client.query(script)) as unknown as pg.QueryResult<{ pid: number }>[];
  const pid = results.at(-1)?.rows[0]?.pid;
  if (pid === undefined) throw new Error('the server gave no backend process id');
  return pid;
}
