import type pg from 'pg';
import type { Logger } from '../log.js';
import { answerWithin } from './answers.js';
import { atPlace, begin, type Place } from './begin.js';
import { isConnectionLost } from './sqlstate.js';

/** How long ending a backend waits for its end. */
const endTimeoutMs = 3_000;

/**
 * Transactions whose connection broke. The backend of one may be at work still, holding its locks:
 * the server looks for the client every few seconds only. Left alone, it would make the next try
 * find the job busy.
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
    for (const place of this.#places) {
      this.#places.delete(place);
      const patienceMs = this.#answerTimeoutMs + endTimeoutMs;
      try {
        await answerWithin(patienceMs, client, endBackend(client, place, patienceMs));
      } catch (error) {
        if (isConnectionLost(error)) this.#places.add(place);
        const { pid } = place;
        this.#log.debug({ err: error, pid }, 'a backend that lost its connection is left alone');
      }
      await client.query('rollback');
    }
  }
}

async function endBackend(
  client: pg.ClientBase,
  { pid, since }: Place,
  statementTimeoutMs: number,
): Promise<void> {
  await begin(client, 'read only', { statementTimeoutMs, lockTimeoutMs: statementTimeoutMs });
  await client.query(`select pg_catalog.pg_terminate_backend(pid, ${endTimeoutMs}) ${atPlace}`, [
    pid,
    since,
  ]);
}
