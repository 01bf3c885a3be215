import { setTimeout as sleep } from 'node:timers/promises';
import type { DaemonContext } from '../daemon/daemon-context.js';
import type { Event } from '../daemon/events.js';
import { Claims } from './claim.js';
import { stateFrom, type Notification } from './notification.js';
import { OutageWatch } from './outage-watch.js';
import { Webhook } from './webhook.js';

type NotifierContext = Pick<DaemonContext, 'config' | 'database' | 'events' | 'log'>;

/** How long a stop waits for notifications that are on their way. */
const stopTimeoutMs = 2_000;

/**
 * Reports each change of state to NOTIFY_URL. Observers are called during a run, so this one only
 * remembers the newest state of each subject, and does the rest afterwards. Returns the function
 * that stops it.
 */
export function startNotifier(context: NotifierContext): () => Promise<void> {
  const notifier = new Notifier(context);
  context.events.observe((event) => {
    if (context.config.notifyUrl !== undefined) notifier.observe(event);
  });
  return () => notifier.stop();
}

class Notifier {
  readonly #claims: Claims;
  readonly #webhook: Webhook;
  readonly #outage: OutageWatch;
  /** At most one per subject. */
  readonly #unclaimed = new Map<Notification['subject'], Notification>();
  #claiming: Promise<void> | undefined;

  constructor(context: NotifierContext) {
    this.#claims = new Claims(context);
    this.#webhook = new Webhook(context);
    this.#outage = new OutageWatch((notification) => {
      this.#webhook.send(notification);
    });
  }

  observe(event: Event): void {
    this.#outage.observe(event);
    const state = stateFrom(event);
    if (state === undefined) return;
    this.#unclaimed.set(state.subject, state);
    this.#claiming ??= this.#claimAll();
  }

  async stop(): Promise<void> {
    this.#outage.stop();
    await Promise.race([this.#finish(), sleep(stopTimeoutMs, undefined, { ref: false })]);
    this.#webhook.abort();
    await this.#webhook.drain();
  }

  async #finish(): Promise<void> {
    await this.#claiming;
    await this.#webhook.drain();
  }

  async #claimAll(): Promise<void> {
    // The loop also reaches states that are added meanwhile.
    for (const [subject, state] of this.#unclaimed) {
      this.#unclaimed.delete(subject);
      if (await this.#claims.claim(state)) this.#webhook.send(state);
    }
    this.#claiming = undefined;
  }
}
