import type pg from 'pg';
import type { Logger } from '../log.js';
import { askAbout, cancel, type Orphans } from './backend.js';
import { begin, type Access, type Place } from './begin.js';
import type { ConnectionSettings } from './connection.js';
import { explainDatabaseError } from './explain.js';
import { describeFailure, isConnectionLost, isReadOnly } from './sqlstate.js';
import type { Transaction, TransactionOptions } from './transaction.js';
import { answerWithin, watchTransaction } from './watchdog.js';

/** Where transactions run: a pool of connections to one server, and what is known of it. */
export interface Server {
  readonly pool: pg.Pool;
  readonly connection: ConnectionSettings;
  readonly orphans: Orphans;
  readonly log: Logger;
  readonly logSql: boolean;
}

/**
 * A connection of the pool for one transaction, and what keeps that from waiting for ever, or from
 * leaving work behind, when the network, the server or this process stops answering.
 */
export class Session {
  readonly #server: Server;
  readonly #options: TransactionOptions;
  #client: pg.PoolClient | undefined;
  #place: Place | undefined;
  #endWatch: (() => void) | undefined;
  #isBroken = false;

  constructor(server: Server, options: TransactionOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Takes a connection and begins on it. */
  async begin(access: Access): Promise<Transaction> {
    const { pool, connection, orphans } = this.#server;
    const { giveUp, onNotice } = this.#options;
    const client = await pool.connect();
    this.#client = client;
    giveUp?.throwIfAborted();
    giveUp?.addEventListener('abort', this.#breakOff, { once: true });
    await orphans.endAll(client);
    if (onNotice !== undefined) client.on('notice', this.#onNotice);
    // A connection of the pool may have died in silence: no longer a wait than for a new one.
    const begun = begin(client, access, this.#options);
    const place = await answerWithin(connection.connectTimeoutMs, client, begun);
    this.#place = place;
    this.#endWatch = watchTransaction(client, (question) => askAbout(connection, place, question));
    return { client, query: (text, values) => this.#query(client, text, values) };
  }

  /** Runs `work`, and cancels on the server what it is at when the signal is aborted. */
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
      // The backend must not go back to the pool while a cancel for it is still under way.
      await cancelling;
    }
  }

  /** Rolls back; returns the error to throw, with what a person can do about it. */
  async fail(error: unknown): Promise<unknown> {
    const { connection, orphans } = this.#server;
    const client = this.#client;
    if (this.#place !== undefined && isConnectionLost(error)) orphans.add(this.#place);
    this.#endWatch?.();
    if (client !== undefined) {
      const rollback = client.query('rollback');
      await answerWithin(connection.connectTimeoutMs, client, rollback).catch(() => {
        this.#isBroken = true;
      });
    }
    // It may lead to a former primary, and a new one to the present one.
    this.#isBroken ||= isReadOnly(error);
    // A pooler lets us in before it connects to the server: only the begin proves a connection.
    return explainDatabaseError(error, connection, { isConnecting: this.#place === undefined });
  }

  /** Returns the connection to the pool, or closes it if it can no longer be trusted. */
  release(): void {
    this.#endWatch?.();
    this.#options.giveUp?.removeEventListener('abort', this.#breakOff);
    this.#client?.off('notice', this.#onNotice);
    this.#client?.release(this.#isBroken);
  }

  readonly #breakOff = (): void => {
    void (this.#client as pg.Client | undefined)?.end().catch(() => undefined);
  };

  readonly #onNotice = ({ message }: { message: string | undefined }): void => {
    if (message !== undefined) this.#options.onNotice?.(message);
  };

  async #cancel(): Promise<void> {
    const place = this.#place;
    if (place === undefined) return;
    try {
      await cancel(this.#server.connection, place);
    } catch (error) {
      const reason = describeFailure(error);
      const { pid } = place;
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
      // Only the text: values may hold what must not be logged.
      const durationMs = Math.round(performance.now() - startedAt);
      log.info({ sql: text, durationMs, rows: result.rowCount }, 'sql');
    }
    return result.rows;
  }
}
