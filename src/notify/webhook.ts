import pRetry from 'p-retry';
import type { Config } from '../config/config.js';
import type { Events } from '../daemon/events.js';
import { post, PostFailure } from './post.js';
import { toBody, type Notification } from './notification.js';

/** A reload replaces `config`. */
export interface WebhookContext {
  readonly config: Pick<Config, 'aptEnv' | 'db' | 'notifyUrl'>;
  readonly events: Pick<Events, 'emit'>;
}

/** A notification that is older is only tried once more. */
const giveUpMs = 10 * 60_000;
const mostWaiting = 20;
const backoff = { minTimeout: 1_000, maxTimeout: 60_000, randomize: true };

/** Delivers notifications to NOTIFY_URL in order, one at a time, with retries. Never throws. */
export class Webhook {
  readonly #context: WebhookContext;
  readonly #abort = new AbortController();
  readonly #waiting: Notification[] = [];
  #delivering: Promise<void> | undefined;

  constructor(context: WebhookContext) {
    this.#context = context;
  }

  send(notification: Notification): void {
    const oldest = this.#waiting.length < mostWaiting ? undefined : this.#waiting.shift();
    if (oldest !== undefined) this.#lost(oldest, `more than ${mostWaiting} were waiting`);
    this.#waiting.push(notification);
    this.#delivering ??= this.#deliverAll();
  }

  /** Resolves when nothing is waiting. */
  async drain(): Promise<void> {
    await this.#delivering;
  }

  /** Drops what is waiting, and ends the attempt in progress. */
  abort(): void {
    this.#abort.abort(new PostFailure('the daemon stopped', 'final'));
  }

  async #deliverAll(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#deliver(next);
    }
    this.#delivering = undefined;
  }

  async #deliver(notification: Notification): Promise<void> {
    const { subject, state, at } = notification;
    const leftMs = Math.max(0, at.getTime() + giveUpMs - Date.now());
    const { signal } = this.#abort;
    try {
      await pRetry(() => this.#post(notification), {
        ...backoff,
        retries: Number.POSITIVE_INFINITY,
        maxRetryTime: leftMs,
        signal,
        shouldRetry: ({ error }) => error instanceof PostFailure && error.kind === 'temporary',
      });
      this.#context.events.emit({ type: 'notified', subject, state });
    } catch (error) {
      this.#lost(
        notification,
        error instanceof PostFailure ? error.message : 'an unexpected error',
      );
    }
  }

  async #post(notification: Notification): Promise<void> {
    const { config } = this.#context;
    // Removed by a reload.
    if (config.notifyUrl === undefined) throw new PostFailure('NOTIFY_URL is not set', 'final');
    await post(config.notifyUrl, toBody(notification, config), this.#abort.signal);
  }

  #lost({ subject, state }: Notification, reason: string): void {
    this.#context.events.emit({ type: 'notify-failed', subject, state, reason });
  }
}
