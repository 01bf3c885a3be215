import type { Config } from '../config/config.js';
import type { Database } from '../db/database.js';
import type { Logger } from '../log.js';
import type { Events } from './events.js';

/** The part of the context that the daemon uses. A reload replaces `config`, `database` and `replica`. */
export interface DaemonContext {
  readonly config: Config;
  readonly database: Database;
  /** Verifications read from it; undefined: from `database`. */
  readonly replica: Database | undefined;
  readonly events: Events;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Reads the settings again and returns the keys that changed. */
  reload(): Promise<readonly string[]>;
}
