import { setTimeout as sleep } from 'node:timers/promises';
import type { Events } from './events.js';
import { describeFailure, isConnectionLost } from '../db/sqlstate.js';

export interface MonitorOptions {
  /** Resolves when the database answers, and takes writes. */
  readonly probe: () => Promise<unknown>;
  readonly events: Events;
  /** Called once each time the database answers again. */
  readonly onUp: () => void;
  /** Ends the probing. */
  readonly signal: AbortSignal;
}

const firstDelayMs = 500;
const longestDelayMs = 5_000;

/**
 * Knows whether the database can be used. Told that it cannot, it says so once, probes until the
 * database is back, says that once too, and starts the missed runs. When the server is
 * back but refuses, such as with a certificate that cannot be verified, that is told as well.
 */
export class DatabaseMonitor {
  readonly #options: MonitorOptions;
  #downSince: number | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  get isDown(): boolean {
    return this.#downSince !== undefined;
  }

  /** Call it when an operation failed because of the state of the server. */
  lost(error: unknown): void {
    if (this.#downSince !== undefined || this.#options.signal.aborted) return;
    this.#downSince = performance.now();
    this.#options.events.emit({ type: 'database-down', error });
    void this.#probeUntilUp(isConnectionLost(error) ? undefined : describeFailure(error));
  }

  /** `refusal` is the last that was told. */
  async #probeUntilUp(refusal: string | undefined): Promise<void> {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, longestDelayMs)) {
      try {
        await sleep(delayMs, undefined, { signal: this.#options.signal });
      } catch {
        return;
      }
      try {
        await this.#options.probe();
        break;
      } catch (error) {
        if (isConnectionLost(error) || describeFailure(error) === refusal) continue;
        refusal = describeFailure(error);
        this.#options.events.emit({ type: 'database-down', error });
      }
    }
    const downForMs = performance.now() - (this.#downSince ?? 0);
    this.#downSince = undefined;
    this.#options.events.emit({ type: 'database-up', downForMs });
    this.#options.onUp();
  }
}
