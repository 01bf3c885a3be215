import type pg from 'pg';
import type { Logger } from '../log.js';
import { queryBackend, cancel, type AbandonedBackends } from './backend.js';
import { begin, type Access, type BackendTransaction } from './begin.js';
import type { ConnectionSettings } from './connection.js';
import { explainDatabaseError } from './explain.js';
import { addLockHolders } from './lock-holders.js';
import { describeFailure, isConnectionLost, isReadOnly } from './sqlstate.js';
import type { Transaction, TransactionOptions } from './transaction.js';
import { responseWithin, watchTransaction } from './watchdog.js';

/** A server and its pool of connections. */
export interface Server {
  readonly pool: pg.Pool;
  readonly connection: ConnectionSettings;
  readonly abandoned: AbandonedBackends;
  readonly log: Logger;
  readonly logSql: boolean;
}

/**
 * Runs one transaction on a connection of the pool. It limits every wait, and leaves no backend
 * behind when the network, the server or this process stops responding.
 */
export class Session {
  readonly #server: Server;
  readonly #options: TransactionOptions;
  #client: pg.PoolClient | undefined;
  #backend: BackendTransaction | undefined;
  #endWatch: (() => void) | undefined;
  #isBroken = false;

  constructor(server: Server, options: TransactionOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Takes a connection and begins a transaction. */
  async begin(access: Access): Promise<Transaction> {
    const { pool, connection, abandoned } = this.#server;
    const { giveUp, onNotice } = this.#options;
    const client = await pool.connect();
    this.#client = client;
    giveUp?.throwIfAborted();
    giveUp?.addEventListener('abort', this.#disconnect, { once: true });
    await abandoned.endAll(client);
    if (onNotice !== undefined) client.on('notice', this.#onNotice);
    // A pooled connection may be dead, so the wait is as long as for a new one.
    const beginning = begin(client, access, this.#options);
    const backend = await responseWithin(connection.connectTimeoutMs, client, beginning);
    this.#backend = backend;
    this.#endWatch = watchTransaction(client, (sql) => queryBackend(connection, backend, sql));
    return { client, query: (text, values) => this.#query(client, text, values) };
  }

  /** Runs `work`. If the signal is aborted, cancels the running statement on the server. */
  async cancellable<Result>(work: () => Promise<Result>): Promise<Result> {
    const { signal } = this.#options;
    let cancelling: Promise<void> | undefined;
    const onAbort = (): void => {
      cancelling = this.#cancel();
    };
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await work();
    } finally {
      signal?.removeEventListener('abort', onAbort);
      // A late cancel would hit the connection's next user.
      await cancelling;
    }
  }

  /** Rolls back. Returns the error to throw, with the fix if a person can act. */
  async fail(error: unknown): Promise<unknown> {
    const { connection, abandoned } = this.#server;
    const client = this.#client;
    if (this.#backend !== undefined && isConnectionLost(error)) abandoned.add(this.#backend);
    this.#endWatch?.();
    if (client !== undefined) {
      const limits = {
        waitedMs: this.#options.lockTimeoutMs,
        timeoutMs: connection.connectTimeoutMs,
      };
      const rollback = client.query('rollback');
      await responseWithin(limits.timeoutMs, client, rollback)
        .then(() => addLockHolders(error, client, limits))
        .catch(() => {
          this.#isBroken = true;
        });
    }
    // This connection may point at a demoted primary. A new one resolves to the current primary.
    this.#isBroken ||= isReadOnly(error);
    // A pooler accepts us before it connects to the server. Only a transaction proves a connection.
    return explainDatabaseError(error, connection, { isConnecting: this.#backend === undefined });
  }

  /** Returns the connection to the pool, or closes it if it is broken. */
  release(): void {
    this.#endWatch?.();
    this.#options.giveUp?.removeEventListener('abort', this.#disconnect);
    this.#client?.off('notice', this.#onNotice);
    this.#client?.release(this.#isBroken);
  }

  readonly #disconnect = (): void => {
    void (this.#client as pg.Client | undefined)?.end().catch(() => undefined);
  };

  readonly #onNotice = ({ message }: { message: string | undefined }): void => {
    if (message !== undefined) this.#options.onNotice?.(message);
  };

  async #cancel(): Promise<void> {
    const backend = this.#backend;
    if (backend === undefined) return;
    try {
      await cancel(this.#server.connection, backend);
    } catch (error) {
      const reason = describeFailure(error);
      const { pid } = backend;
      this.#server.log.warn({ reason, pid }, `a statement could not be cancelled: ${reason}`);
    }
  }

  async #query<Row extends pg.QueryResultRow>(
    client: pg.PoolClient,
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    const { log, logSql } = this.#server;
    const startedAt = performance.now();
    const result = await client.query<Row>(text, values);
    if (logSql) {
      // Only the text: values may be confidential.
      const durationMs = Math.round(performance.now() - startedAt);
      log.info({ sql: text, durationMs, rows: result.rowCount }, 'sql');
    }
    return result.rows;
  }
}
