import type pg from 'pg';
import type { Logger } from '../log.js';
import { begin, type BackendTransaction } from './begin.js';
import { Client } from './client.js';
import { driverConfig, type ConnectionSettings } from './connection.js';
import { describeFailure, isConnectionLost } from './sqlstate.js';
import { responseWithin, fromBackend, isHidden, isOurTransaction } from './watchdog.js';

// Queries about, and signals to, a transaction's backend, on another connection.

const options = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };

/**
 * Queries pg_stat_activity for a transaction, with its pid and begin as $1 and $2. Uses its own
 * connection and a time limit, because the server may not respond.
 */
export async function queryBackend<Row extends pg.QueryResultRow>(
  connection: ConnectionSettings,
  { pid, since }: BackendTransaction,
  sql: string,
): Promise<Row[]> {
  const client = new Client({
    ...driverConfig(connection),
    query_timeout: connection.connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await begin(client, 'read only', options);
    return (await client.query<Row>(sql, [pid, since])).rows;
  } finally {
    // Not awaited: the server may not respond.
    void client.end().catch(() => undefined);
  }
}

/** Cancels the running statement of a transaction. */
export async function cancel(
  connection: ConnectionSettings,
  backend: BackendTransaction,
): Promise<void> {
  const [row] = await queryBackend<{ isCancelled: boolean | null }>(connection, backend, cancelSql);
  if (row?.isCancelled === null) {
    throw new Error('the server does not show this role its own transaction');
  }
}

/** No row if the backend is gone. NULL if this role cannot see it: it may serve another client. */
const cancelSql = `
  select case when ${isOurTransaction} then pg_catalog.pg_cancel_backend(pid) end as "isCancelled"
  from pg_catalog.pg_stat_activity
  where pid = $1
    and (${isHidden} or ${isOurTransaction})`;

/** The limit for pg_terminate_backend. */
const endTimeoutMs = 3_000;

/**
 * Ends the backends of broken connections. The server checks for a lost client only every few
 * seconds. Until then a backend keeps its locks, and the next attempt would find the job busy.
 */
export class AbandonedBackends {
  readonly #responseTimeoutMs: number;
  readonly #log: Logger;
  readonly #backends = new Set<BackendTransaction>();

  constructor(responseTimeoutMs: number, log: Logger) {
    this.#responseTimeoutMs = responseTimeoutMs;
    this.#log = log;
  }

  add(backend: BackendTransaction): void {
    this.#backends.add(backend);
  }

  async endAll(client: pg.ClientBase): Promise<void> {
    const timeoutMs = this.#responseTimeoutMs + endTimeoutMs;
    for (const backend of this.#backends) {
      this.#backends.delete(backend);
      try {
        await responseWithin(timeoutMs, client, endBackend(client, backend));
      } catch (error) {
        if (isConnectionLost(error)) this.#backends.add(backend);
        const { pid } = backend;
        const reason = describeFailure(error);
        this.#log.debug({ reason, pid }, `an abandoned backend could not be ended: ${reason}`);
      }
      await responseWithin(timeoutMs, client, client.query('rollback'));
    }
  }
}

async function endBackend(
  client: pg.ClientBase,
  { pid, since }: BackendTransaction,
): Promise<void> {
  await begin(client, 'read only', options);
  const end = `select pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) ${fromBackend}`;
  await client.query(end, [pid, since]);
}
