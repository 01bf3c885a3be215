import { describeFailure } from '../db/sqlstate.js';
import type { Event } from '../daemon/events.js';
import { stateOf } from '../daemon/log-events.js';
import type { Notification } from './notification.js';

/** Shorter outages, such as a restart of the server, are only logged. */
const reportedAfterMs = 60_000;

/**
 * Reports an outage of the database that has lasted a minute, and its end. Each daemon reports it:
 * they cannot agree in a database that is away, and the fault may be in the network of one daemon.
 */
export class OutageWatch {
  readonly #report: (notification: Notification) => void;
  #timer: NodeJS.Timeout | undefined;
  #isReported = false;

  constructor(report: (notification: Notification) => void) {
    this.#report = report;
  }

  observe(event: Event): void {
    if (event.type === 'database-down') this.#begin(event.error);
    if (event.type === 'database-up') this.#end(event.downForMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** A new reason in the same outage does not start a new minute. */
  #begin(error: unknown): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#isReported = true;
      const sentence = `the database ${stateOf(error)}; runs wait until it is back: ${describeFailure(error)}`;
      this.#report({ subject: 'database', state: 'away', sentence, at: new Date() });
    }, reportedAfterMs);
  }

  #end(downForMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isReported) return;
    this.#isReported = false;
    const sentence = `the database is back after ${Math.round(downForMs / 60_000)} min`;
    this.#report({ subject: 'database', state: 'good', sentence, at: new Date() });
  }
}
