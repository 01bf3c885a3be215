import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { errorCodeOf, isConnectionLost } from '../../src/db/sqlstate.js';
import type { TestDatabase } from '../support/test-database.js';

/** A connection that reconnects after its backend was terminated. */
export class Session {
  readonly #target: Pick<TestDatabase, 'session'>;
  readonly #name: string;
  #client: pg.Client | undefined;

  /** `name` identifies the session for the terminator. */
  constructor(target: Pick<TestDatabase, 'session'>, name: string) {
    this.#target = target;
    this.#name = name;
  }

  /** Runs `work` on a live connection. After an error no transaction is open. */
  async use<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const client = (this.#client ??= await this.#connect());
    try {
      return await work(client);
    } catch (error) {
      const isBack = await client.query('rollback').then(
        () => true,
        () => false,
      );
      if (!isBack) {
        this.#client = undefined;
        void client.end().catch(() => undefined);
      }
      throw error;
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = await this.#target.session();
    await client.query(`set application_name = '${this.#name}'`);
    await client.query(`set lock_timeout = '400ms'; set statement_timeout = '30s'`);
    // Only a superuser may set it; otherwise a deadlock takes a second.
    await client.query(`set deadlock_timeout = '50ms'`).catch(() => undefined);
    return client;
  }
}

/** Copies rows; returns their number. */
export async function copyInto(
  client: pg.Client,
  into: string,
  lines: readonly string[],
): Promise<number> {
  const stream = client.query(copyFrom(`copy ${into} from stdin`));
  await pipeline(Readable.from(lines), stream);
  return stream.rowCount;
}

const expectedCodes = new Set([
  '40001', // serialization failure
  '40P01', // deadlock
  '55P03', // lock not available
  '57014', // statement timeout
  '57P01', // terminated
  '23503', // foreign key, while what it refers to is truncated
]);

/** Returns the name of an expected concurrency error; undefined for any other error. */
export function expectedFailure(error: unknown): string | undefined {
  if (isConnectionLost(error)) return 'connection lost';
  const code = errorCodeOf(error) ?? '';
  if (expectedCodes.has(code)) return code;
  const message = error instanceof Error ? error.message : '';
  // pg reports this for a lost backend.
  return /not queryable|Client was closed|Premature close|EPIPE/i.test(message)
    ? 'connection lost'
    : undefined;
}
