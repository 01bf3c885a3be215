import type pg from 'pg';
import type { Logger } from '../log.js';
import { answerWithin } from './answers.js';
import { isConnectionLost } from './sqlstate.js';

/** How long ending a backend waits for its end. */
const endTimeoutMs = 3_000;

/**
 * Backends whose connection broke in mid-transaction. One may be at work still, holding its locks:
 * the server looks for the client every few seconds only. Left alone, it would make the next try
 * find the job busy.
 */
export class Orphans {
  readonly #answerTimeoutMs: number;
  readonly #log: Logger;
  /** Process id to the moment of the loss. */
  readonly #lostAt = new Map<number, number>();

  constructor(answerTimeoutMs: number, log: Logger) {
    this.#answerTimeoutMs = answerTimeoutMs;
    this.#log = log;
  }

  add(pid: number): void {
    this.#lostAt.set(pid, performance.now());
  }

  async endAll(client: pg.ClientBase): Promise<void> {
    for (const [pid, lostAt] of this.#lostAt) {
      this.#lostAt.delete(pid);
      const ended = client.query(endBackend, [pid, performance.now() - lostAt, endTimeoutMs]);
      const patienceMs = this.#answerTimeoutMs + endTimeoutMs;
      await answerWithin(patienceMs, client, ended).catch((error: unknown) => {
        if (isConnectionLost(error)) this.#lostAt.set(pid, lostAt);
        this.#log.debug({ err: error, pid }, 'a backend that lost its connection is left alone');
      });
    }
  }
}

/** A backend that began after the loss only has the same number. */
const endBackend = `
  select pg_catalog.pg_terminate_backend(pid, $3)
  from pg_catalog.pg_stat_activity
  where pid = $1
    and application_name = 'registry-stats'
    and backend_start < pg_catalog.clock_timestamp() - $2 * interval '1 millisecond'`;
