import type pg from 'pg';
import type { TransactionOptions } from './transaction.js';
import { sqlstate } from './sqlstate.js';

export type Access = 'read only' | 'read write';

/**
 * A transaction as other sessions see it. Behind a pooler a backend serves many clients in turn: its
 * process id alone would not tell our transaction from the next client's.
 */
export interface Place {
  readonly pid: number;
  /** When it began: microseconds since 1970, too many for a number. */
  readonly since: string;
}

/**
 * Names mean PostgreSQL's own objects, or are qualified: whatever schemas a role or a database has
 * on its search_path, no function, operator or table in them can take the place of the one meant.
 */
export const safeSearchPath = 'pg_catalog, pg_temp';

/**
 * Begins a transaction that carries its own timeouts and search_path on the server, in one round
 * trip; returns its place.
 *
 * Whether writes are allowed is the server's to say: an explicit `read write` would override
 * default_transaction_read_only, which marks a database that nobody may write to, such as the green
 * one of a blue/green deployment.
 */
export async function begin(
  client: pg.ClientBase,
  access: Access,
  { isolation, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
): Promise<Place> {
  const script = `
    begin isolation level ${isolation ?? 'read committed'} ${access === 'read only' ? access : ''};
    set local statement_timeout = ${statementTimeoutMs};
    set local lock_timeout = ${lockTimeoutMs};
    set local search_path = ${safeSearchPath};
    ${endWithClient};
    ${noTransactionTimeout};
    select
      pg_catalog.pg_backend_pid() as pid,
      (extract(epoch from pg_catalog.transaction_timestamp()) * 1000000)::bigint as since,
      pg_catalog.current_setting('transaction_read_only') = 'on' as "isReadOnly"`;
  // The driver gives one result a statement.
  const results = (await client.query(script)) as unknown as pg.QueryResult<Begun>[];
  const begun = results.at(-1)?.rows[0];
  if (begun === undefined) throw new Error('the server did not tell where the transaction is');
  const { isReadOnly, ...place } = begun;
  if (isReadOnly && access === 'read write') throw readOnlyError();
  return place;
}

interface Begun extends Place {
  readonly isReadOnly: boolean;
}

/**
 * What ends the server's part, and frees its locks, when the client is gone without a word: between
 * two statements, where only a round trip lies, within 15 s; in a statement within 35 s, once
 * keepalive finds nobody (10 s, then every 2 s, by default 9 times) and the check every 5 s sees it.
 */
const endWithClient = `
    set local idle_in_transaction_session_timeout = '15s';
    set local client_connection_check_interval = '5s';
    set local tcp_keepalives_idle = 10;
    set local tcp_keepalives_interval = 2`;

/**
 * Turns off a transaction_timeout of the role or the database: it would end a long run, and the
 * session with it. PostgreSQL before 17 does not know the setting and would refuse to set it.
 */
const noTransactionTimeout = `
    select pg_catalog.set_config('transaction_timeout', '0', true)
    where pg_catalog.current_setting('transaction_timeout', true) is not null`;

function readOnlyError(): Error {
  const found = 'a standby, or default_transaction_read_only is on';
  return Object.assign(new Error(found), { code: sqlstate.readOnlyTransaction });
}
