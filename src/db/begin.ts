import type pg from 'pg';
import type { TransactionOptions } from './transaction.js';
import { sqlstate } from './sqlstate.js';

export type Access = 'read only' | 'read write';

/**
 * A transaction as other sessions identify it. With a pooler, one backend serves many clients, so
 * the process id alone is not enough.
 */
export interface BackendTransaction {
  readonly pid: number;
  /** Begin of the transaction in microseconds since 1970. Text, because it exceeds 2^53. */
  readonly since: string;
}

/**
 * Keeps functions, operators and tables of other schemas from replacing PostgreSQL's own. Names of
 * other objects must be qualified.
 */
export const safeSearchPath = 'pg_catalog, pg_temp';

/**
 * Begins a transaction with its own timeouts and search_path, in one round trip. Returns its
 * backend and begin.
 *
 * Does not set `read write`, which would override default_transaction_read_only. That setting marks
 * a database that must not be written to, such as the green one of a blue/green deployment.
 */
export async function begin(
  client: pg.ClientBase,
  access: Access,
  { isolation, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
): Promise<BackendTransaction> {
  const script = `
    begin isolation level ${isolation ?? 'read committed'} ${access === 'read only' ? access : ''};
    set local statement_timeout = ${statementTimeoutMs};
    set local lock_timeout = ${lockTimeoutMs};
    set local search_path = ${safeSearchPath};
    ${lostClientTimeouts};
    ${noTransactionTimeout};
    select
      pg_catalog.pg_backend_pid() as pid,
      (extract(epoch from pg_catalog.transaction_timestamp()) * 1000000)::bigint as since,
      pg_catalog.current_setting('transaction_read_only') = 'on' as "isReadOnly"`;
  // The driver returns one result per statement.
  const results = (await client.query(script)) as unknown as pg.QueryResult<BeginRow>[];
  const row = results.at(-1)?.rows[0];
  if (row === undefined) throw new Error('the server returned no backend for the transaction');
  const { isReadOnly, ...backend } = row;
  if (isReadOnly && access === 'read write') throw readOnlyError();
  return backend;
}

interface BeginRow extends BackendTransaction {
  readonly isReadOnly: boolean;
}

/**
 * Ends the backend and frees its locks when the client vanishes. Between statements it takes 15 s.
 * In a statement it takes up to 35 s: keepalive fails after 10 s and 9 probes of 2 s, and the check
 * runs every 5 s.
 */
const lostClientTimeouts = `
    set local idle_in_transaction_session_timeout = '15s';
    set local client_connection_check_interval = '5s';
    set local tcp_keepalives_idle = 10;
    set local tcp_keepalives_interval = 2`;

/**
 * Turns off a transaction_timeout of the role or database, which would end a long run. PostgreSQL
 * before 17 rejects the setting.
 */
const noTransactionTimeout = `
    select pg_catalog.set_config('transaction_timeout', '0', true)
    where pg_catalog.current_setting('transaction_timeout', true) is not null`;

function readOnlyError(): Error {
  const found = 'a standby, or default_transaction_read_only is on';
  return Object.assign(new Error(found), { code: sqlstate.readOnlyTransaction });
}
