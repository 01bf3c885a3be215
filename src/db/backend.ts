import type pg from 'pg';
import type { Logger } from '../log.js';
import { begin, type Place } from './begin.js';
import { Client } from './client.js';
import { driverConfig, type ConnectionSettings } from './connection.js';
import { describeFailure, isConnectionLost } from './sqlstate.js';
import { answerWithin, atPlace, isHidden, isOfPlace } from './watchdog.js';

// What is asked of, and done to, the server's side of a transaction by way of another connection.

const options = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };

/**
 * Puts a question about a transaction, on the place [$1, $2], to a server that may be silent: on a
 * connection of its own, and for no longer than the wait for a connection.
 */
export async function askAbout<Row extends pg.QueryResultRow>(
  connection: ConnectionSettings,
  { pid, since }: Place,
  question: string,
): Promise<Row[]> {
  const client = new Client({
    ...driverConfig(connection),
    query_timeout: connection.connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await begin(client, 'read only', options);
    return (await client.query<Row>(question, [pid, since])).rows;
  } finally {
    // Not waited for: a server that is silent takes no part in it.
    void client.end().catch(() => undefined);
  }
}

/** Asks the server to cancel what a transaction is doing. */
export async function cancel(connection: ConnectionSettings, place: Place): Promise<void> {
  const [backend] = await askAbout<{ isCancelled: boolean | null }>(
    connection,
    place,
    cancelQuestion,
  );
  if (backend?.isCancelled === null) {
    throw new Error('the server does not show this role its own transaction');
  }
}

/** No row once it has ended. NULL where it is not shown: by then the backend may serve another. */
const cancelQuestion = `
  select case when ${isOfPlace} then pg_catalog.pg_cancel_backend(pid) end as "isCancelled"
  from pg_catalog.pg_stat_activity
  where pid = $1
    and (${isHidden} or ${isOfPlace})`;

/** How long ending a backend waits for its end. */
const endTimeoutMs = 3_000;

/**
 * Transactions whose connection broke. Their backends may be at work still, holding their locks: the
 * server looks for the client every few seconds only. Left alone, one would make the next try find
 * the job busy.
 */
export class Orphans {
  readonly #answerTimeoutMs: number;
  readonly #log: Logger;
  readonly #places = new Set<Place>();

  constructor(answerTimeoutMs: number, log: Logger) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#log = log;
  }

  add(place: Place): void {
    this.#places.add(place);
  }

  async endAll(client: pg.ClientBase): Promise<void> {
    const timeoutMs = this.#answerTimeoutMs + endTimeoutMs;
    for (const place of this.#places) {
      this.#places.delete(place);
      try {
        await answerWithin(timeoutMs, client, endBackend(client, place));
      } catch (error) {
        if (isConnectionLost(error)) this.#places.add(place);
        const { pid } = place;
        const reason = describeFailure(error);
        this.#log.debug({ reason, pid }, `an abandoned backend could not be ended: ${reason}`);
      }
      await answerWithin(timeoutMs, client, client.query('rollback'));
    }
  }
}

async function endBackend(client: pg.ClientBase, { pid, since }: Place): Promise<void> {
  await begin(client, 'read only', options);
  const end = `select pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) ${atPlace}`;
  await client.query(end, [pid, since]);
}
