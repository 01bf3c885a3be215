import pg from 'pg';
import { AppError } from '../errors.js';
import type { Logger } from '../log.js';
import { AbandonedBackends } from './backend.js';
import type { Access } from './begin.js';
import { Client } from './client.js';
import { driverConfig, type ConnectionSettings } from './connection.js';
import { Session, type Server } from './session.js';
import type { Transaction, TransactionOptions } from './transaction.js';

export interface DatabaseOptions {
  readonly connection: ConnectionSettings;
  readonly poolSize: number;
  /** MAINTENANCE_MODE: refuses every write before it reaches the server. */
  readonly isMaintenance: boolean;
  readonly logSql: boolean;
}

const readOptions: TransactionOptions = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };
/** The wait for running statements before their connections are closed. */
const closeTimeoutMs = 3_000;

/**
 * A pool of connections to one database. Every statement runs in a transaction with its own
 * timeouts, so nothing depends on session state.
 */
export class Database {
  readonly options: DatabaseOptions;
  readonly #pool: pg.Pool;
  readonly #server: Server;
  readonly #clients = new Set<pg.PoolClient>();
  readonly #working = new Set<Promise<unknown>>();

  constructor(options: DatabaseOptions, log: Logger) {
    this.options = options;
    this.#pool = new pg.Pool({
      ...driverConfig(options.connection),
      Client,
      max: options.poolSize,
      idleTimeoutMillis: 30_000,
    });
    const { connection, logSql } = options;
    const abandoned = new AbandonedBackends(connection.connectTimeoutMs, log);
    this.#server = { pool: this.#pool, connection, abandoned, log, logSql };
    // Without a listener, the error of a dead backend would end the process.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => {
      this.#clients.add(client);
      client.on('error', () => undefined);
    });
    this.#pool.on('remove', (client) => this.#clients.delete(client));
  }

  /**
   * Returns the rows of one read-only statement. Throws AppError if a person can fix the failure.
   */
  async read<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#transaction('read only', readOptions, (transaction) =>
      transaction.query<Row>(text, values),
    );
  }

  /** Runs `work` in a read-only transaction with one snapshot. A replica is enough. */
  async readSnapshot<Result>(
    options: Omit<TransactionOptions, 'isolation'>,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.#transaction('read only', { ...options, isolation: 'repeatable read' }, work);
  }

  /** Runs `work` in a read-write transaction. Commits it, or rolls back if `work` throws. */
  async write<Result>(
    options: TransactionOptions,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    if (this.options.isMaintenance) {
      throw new AppError('MAINTENANCE_MODE', 'MAINTENANCE_MODE is true: writes are refused', {
        hint: 'a migration of Registry may be running; try again when MAINTENANCE_MODE is false',
      });
    }
    return this.#transaction('read write', options, work);
  }

  /** Resolves if a job could run now: the server responds, and takes writes if the job writes. */
  async probe(): Promise<void> {
    const access = this.options.isMaintenance ? 'read only' : 'read write';
    await this.#transaction(access, readOptions, () => Promise.resolve());
  }

  /** Throws what every write would, such as MAINTENANCE_MODE or a read-only server. */
  async assertWritable(): Promise<void> {
    await this.write(readOptions, () => Promise.resolve());
  }

  /** Runs `work` of several transactions. A retired pool stays open until it ends. */
  async keepOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    const working = work();
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  /** Closes the pool when its last user is done, without a limit. */
  async retire(): Promise<void> {
    await Promise.allSettled(this.#working);
    await this.#pool.end();
  }

  /** Closes the pool. After a few seconds it also closes busy connections. */
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
    const session = new Session(this.#server, options);
    try {
      const transaction = await session.begin(access);
      const result = await session.cancellable(async () => {
        const done = await work(transaction);
        // Inside the cancellable part: deferred triggers or a synchronous standby may delay the
        // commit.
        await transaction.client.query('commit');
        return done;
      });
      return result;
    } catch (error) {
      throw await session.fail(error);
    } finally {
      session.release();
    }
  }
}

function giveUp(afterMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, afterMs).unref());
}
