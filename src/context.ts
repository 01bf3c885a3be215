import type { Config } from './config/config.js';
import { loadConfig, type EffectiveSetting, type LoadedConfig } from './config/load-config.js';
import type { SettingKey } from './config/settings.js';
import { initCronJobs, type CronJobs } from './daemon/cron.js';
import { connectionSettings } from './db/connection.js';
import { Database } from './db/database.js';
import { locateServer, type DatabaseServer } from './locate-server.js';
import { createEvents, type Events } from './daemon/events.js';
import { createLog, type Logger } from './log.js';
import { createReleasers, type Releasers } from './releasers.js';

export interface ContextOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The log stream. */
  readonly output: NodeJS.WriteStream;
  /** Aborted when the process must stop. */
  readonly signal: AbortSignal;
  /** Receives the progress of long steps before the database is open. */
  readonly onProgress?: (message: string) => void;
}

/** What every part of the program uses. A reload replaces `config` and `database`. */
export interface Context {
  readonly config: Config;
  readonly log: Logger;
  readonly events: Events;
  readonly database: Database;
  readonly server: DatabaseServer;
  readonly signal: AbortSignal;
  readonly releasers: Releasers;
  /** Starts the jobs. Only the daemon calls it. */
  initialise(): CronJobs;
  /** Reads the settings again and opens a new pool. If either fails, throws and changes nothing. */
  reload(): Promise<readonly string[]>;
  /** Releases all resources, in reverse order. */
  release(): Promise<void>;
}

/** Loads the settings, opens the log and the pool. Releases them if a step fails. */
export async function createContext(options: ContextOptions): Promise<Context> {
  const releasers = createReleasers();
  try {
    const loaded = await loadConfig(options);
    const log = await createLog(loaded.config, options.output);
    for (const warning of loaded.warnings) log.warn(warning);
    const server = await locateServer(loaded.config, options);
    releasers.add(() => server.release());
    const context = buildContext(options, { ...loaded, log, server, releasers });
    releasers.add(() => context.database.close());
    return context;
  } catch (error) {
    await releasers.releaseAll().catch(() => undefined);
    throw error;
  }
}

interface Parts {
  config: Config;
  settings: readonly EffectiveSetting[];
  readonly log: Logger;
  readonly server: DatabaseServer;
  readonly releasers: Releasers;
}

function buildContext(options: ContextOptions, parts: Parts): Context {
  let database = openDatabase(parts.config, parts.server, parts.log);
  const context: Context = {
    get config() {
      return parts.config;
    },
    get database() {
      return database;
    },
    log: parts.log,
    events: createEvents(),
    server: parts.server,
    signal: options.signal,
    releasers: parts.releasers,
    initialise: () => initCronJobs(context),
    reload: async () => {
      const loaded = await loadConfig(options);
      const next = openDatabase(loaded.config, parts.server, parts.log);
      try {
        await next.read('select');
        // After a stop request, nothing would close another pool.
        options.signal.throwIfAborted();
      } catch (error) {
        await next.close();
        throw error;
      }
      const changed = changedKeys(parts, loaded);
      const previous = database;
      database = next;
      parts.config = loaded.config;
      parts.settings = loaded.settings;
      parts.log.level = loaded.config.log.level;
      // A running job keeps its pool; `retire` waits for it.
      void previous.retire();
      return changed;
    },
    release: () => parts.releasers.releaseAll(),
  };
  return context;
}

function openDatabase(config: Config, server: DatabaseServer, log: Logger): Database {
  const connection = connectionSettings(config, server.addressFor(config));
  const { poolSize } = config.db;
  const { isMaintenance } = config;
  return new Database({ connection, poolSize, isMaintenance, logSql: config.log.sql }, log);
}

type Settings = Pick<LoadedConfig, 'config' | 'settings'>;

function changedKeys(before: Settings, after: Settings): readonly string[] {
  const shown = new Map(before.settings.map((setting) => [setting.key, setting.value]));
  return after.settings
    .filter(
      ({ key, value }) =>
        shown.get(key) !== value ||
        hiddenValue(key, before.config) !== hiddenValue(key, after.config),
    )
    .map(({ key }) => key);
}

/** Returns the part of a value that the settings list hides: a secret, or a file's content. */
function hiddenValue(key: SettingKey, { db, notifyUrl }: Config): string | undefined {
  if (key === 'DB_PASSWORD') return db.password;
  if (key === 'NOTIFY_URL') return notifyUrl;
  return key === 'DB_SSL_CA' ? db.sslCa : undefined;
}
