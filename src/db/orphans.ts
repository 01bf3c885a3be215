import type pg from 'pg';
import type { Logger } from '../log.js';
import { answerWithin } from './answers.js';
import { atPlace, begin, type Place } from './begin.js';
import { describeFailure, isConnectionLost } from './sqlstate.js';

/** How long ending a backend waits for its end. */
const endTimeoutMs = 3_000;
const options = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };

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
