import { setTimeout as sleep } from 'node:timers/promises';
import type { Events } from './events.js';
import { describeFailure, isConnectionLost } from '../db/sqlstate.js';

interface MonitorOptions {
  /** Resolves when the database responds and takes writes. */
  readonly probe: () => Promise<unknown>;
  readonly events: Events;
  /** Called when the database is back. */
  readonly onUp: () => void;
  readonly signal: AbortSignal;
}

const firstDelayMs = 500;
const longestDelayMs = 5_000;

/**
 * Tracks whether the database can be used. After `lost` it emits `database-down` once and probes
 * until the database is back. Then it emits `database-up` and calls `onUp`, which starts missed
 * runs. A new reason, such as an invalid certificate, emits `database-down` again.
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

  /** `refusal` is the last reason reported. */
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
