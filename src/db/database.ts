import pg from 'pg';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { answerWithin, watchTransaction } from './answers.js';
import { askAbout, cancel } from './ask-about.js';
import { begin, type Access, type Place } from './begin.js';
import { Client } from './client.js';
import { driverConfig, type ConnectionSettings } from './connection.js';
import { Orphans } from './orphans.js';
import type { Transaction, TransactionOptions } from './transaction.js';
import { describeFailure, explainDatabaseError, isConnectionLost, isReadOnly } from './sqlstate.js';

export interface DatabaseOptions {
  readonly connection: ConnectionSettings;
  readonly poolSize: number;
  /** MAINTENANCE_MODE: every write is refused before it reaches the server. */
  readonly isMaintenance: boolean;
  readonly logSql: boolean;
}

const readOptions: TransactionOptions = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };
/** How long closing waits for statements in flight before it cuts their connections. */
const closeTimeoutMs = 3_000;

/**
 * One pool of connections to one database. Every statement runs in a transaction that carries its
 * own timeouts, so nothing relies on the state of a session.
 */
export class Database {
  readonly options: DatabaseOptions;
  readonly #log: Logger;
  readonly #pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();
  readonly #working = new Set<Promise<unknown>>();
  readonly #orphans: Orphans;

  constructor(options: DatabaseOptions, log: Logger) {
    this.options = options;
    this.#log = log;
    this.#orphans = new Orphans(options.connection.connectTimeoutMs, log);
    this.#pool = new pg.Pool({
      ...driverConfig(options.connection),
      Client,
      max: options.poolSize,
      idleTimeoutMillis: 30_000,
    });
    // Without a listener of its own, a client whose backend dies would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      this.#clients.add(client);
      client.on('error', () => undefined);
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  /** Rows of one read-only statement. Throws AppError where a person can do something about it. */
  async read<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#transaction('read only', readOptions, (transaction) =>
      transaction.query<Row>(text, values),
    );
  }

  /** Runs `work` in one read-only transaction that sees one snapshot. A replica will do. */
  async readSnapshot<Result>(
    options: Omit<TransactionOptions, 'isolation'>,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#transaction('read only', { ...options, isolation: 'repeatable read' }, work);
  }

  /** Runs `work` in one read-write transaction: committed when it returns, else rolled back. */
  async write<Result>(
    options: TransactionOptions,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    if (this.options.isMaintenance) {
      throw new AppError('MAINTENANCE_MODE', 'MAINTENANCE_MODE is true: nothing may write', {
        hint: 'a migration of Registry may be running; try again when MAINTENANCE_MODE is false',
      });
    }
    return this.#transaction('read write', options, work);
  }

  /** Resolves when a job could run: the server answers, and takes writes unless nothing may write. */
  async probe(): Promise<void> {
    const access = this.options.isMaintenance ? 'read only' : 'read write';
    await this.#transaction(access, readOptions, () => Promise.resolve());
  }

  /** Runs `work` of several transactions: a pool that is retired meanwhile stays open for it. */
  async keepOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    const working = work();
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  /** Closes the pool as soon as nothing uses it any more, however long that takes. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.#working);
    await this.#pool.end();
  }

  /** Closes the pool; connections still at work after a few seconds are cut. */
  async close(): Promise<void> {
    const cut = setTimeout(() => {
      for (const client of this.#clients) {
        void (client as unknown as pg.Client).end().catch(() => undefined);
      }
    }, closeTimeoutMs);
    try {
      await Promise.race([this.#pool.end(), giveUp(closeTimeoutMs * 2)]);
    } finally {
      clearTimeout(cut);
    }
  }

  async #transaction<Result>(
    access: Access,
    options: TransactionOptions,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    options.signal?.throwIfAborted();
    const { connection } = this.options;
    const { connectTimeoutMs } = connection;
    let client: pg.PoolClient | undefined;
    let place: Place | undefined;
    let endWatch: (() => void) | undefined;
    let isBroken = false;
    const onNotice = ({ message }: { message: string | undefined }): void => {
      if (message !== undefined) options.onNotice?.(message);
    };
    const breakOff = (): void => {
      void (client as pg.Client | undefined)?.end().catch(() => undefined);
    };
    try {
      client = await this.#pool.connect();
      options.giveUp?.throwIfAborted();
      options.giveUp?.addEventListener('abort', breakOff, { once: true });
      await this.#orphans.endAll(client);
      if (options.onNotice !== undefined) client.on('notice', onNotice);
      // A connection of the pool may have died in silence: no longer a wait than for a new one.
      const begun = await answerWithin(connectTimeoutMs, client, begin(client, access, options));
      place = begun;
      endWatch = watchTransaction(client, (question) => askAbout(connection, begun, question));
      const transaction = this.#transactionOn(client);
      return await this.#cancellable(begun, options.signal, async () => {
        const result = await work(transaction);
        // Deferred triggers and a synchronous standby may keep it waiting.
        await transaction.client.query('commit');
        return result;
      });
    } catch (error) {
      if (place !== undefined && isConnectionLost(error)) this.#orphans.add(place);
      endWatch?.();
      if (client !== undefined) {
        const rollback = answerWithin(connectTimeoutMs, client, client.query('rollback'));
        await rollback.catch(() => (isBroken = true));
      }
      // It may lead to a former primary, and a new one to the present one.
      isBroken ||= isReadOnly(error);
      // A pooler lets us in before it connects to the server: only the begin proves a connection.
      const isConnecting = place === undefined;
      throw explainDatabaseError(error, this.options.connection, { isConnecting });
    } finally {
      endWatch?.();
      options.giveUp?.removeEventListener('abort', breakOff);
      client?.off('notice', onNotice);
      client?.release(isBroken);
    }
  }

  async #cancellable<Result>(
    place: Place,
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    let cancelling: Promise<void> | undefined;
    const onAbort = (): void => {
      cancelling = cancel(this.options.connection, place).catch((error: unknown) => {
        const { pid } = place;
        const reason = describeFailure(error);
        this.#log.warn({ reason, pid }, `a statement could not be cancelled: ${reason}`);
      });
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

  #transactionOn(client: pg.PoolClient): Transaction {
    return {
      client,
      query: async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
        const startedAt = performance.now();
        const result = await client.query<Row>(text, values);
        if (this.options.logSql) {
          // Only the text: values may hold what must not be logged.
          const durationMs = Math.round(performance.now() - startedAt);
          this.#log.info({ sql: text, durationMs, rows: result.rowCount }, 'sql');
        }
        return result.rows;
      },
    };
  }
}

function giveUp(afterMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, afterMs).unref());
}
