import type { Database } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import type { Logger } from '../log.js';
import type { Notification } from './notification.js';

/** Where changes are claimed. A reload replaces `database`. */
interface ClaimContext {
  readonly database: Pick<Database, 'write'>;
  readonly log: Pick<Logger, 'debug'>;
}

type Subject = Notification['subject'];
type State = Notification['state'];

const options = { statementTimeoutMs: 5_000, lockTimeoutMs: 1_000 };

/**
 * Decides whether this daemon reports a state: if it is a change, and no other daemon on the
 * database has reported it. If the database cannot be written, this daemon decides alone: in an
 * outage, in MAINTENANCE_MODE and in the legacy state. Then several daemons report the same change.
 */
export class Claims {
  readonly #context: ClaimContext;
  readonly #lastSeen = new Map<Subject, State>();
  /** What this daemon reported without the database. */
  readonly #alone = new Map<Subject, State>();

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  async claim({ subject, state }: Notification): Promise<boolean> {
    const alone = this.#alone.get(subject);
    const before = this.#lastSeen.get(subject) ?? 'good';
    this.#lastSeen.set(subject, state);
    try {
      const isChange = await this.#record(subject, state);
      this.#alone.delete(subject);
      return alone === undefined ? isChange : alone !== state;
    } catch (error) {
      const reason = describeFailure(error);
      this.#context.log.debug({ reason }, `a notification could not be claimed: ${reason}`);
      this.#alone.set(subject, state);
      return before !== state;
    }
  }

  async #record(subject: Subject, state: State): Promise<boolean> {
    const [row] = await this.#context.database.write(options, ({ query }) =>
      query<{ isChange: boolean }>(
        'select registry_stats.claim_notification($1, $2) as "isChange"',
        [subject, state],
      ),
    );
    return row?.isChange === true;
  }
}
