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
  /** Where the log goes. */
  readonly output: NodeJS.WriteStream;
  /** Aborted when the process is to stop. */
  readonly signal: AbortSignal;
  /** Progress of what takes long before there is a database, for people. */
  readonly onProgress?: (message: string) => void;
}

/** What every part of the program works with. `config` and `database` are replaced by a reload. */
export interface Context {
  readonly config: Config;
  readonly log: Logger;
  readonly events: Events;
  readonly database: Database;
  readonly server: DatabaseServer;
  readonly signal: AbortSignal;
  readonly releasers: Releasers;
  /** Starts the jobs; only the daemon does. */
  initialise(): CronJobs;
  /** Reads the settings again and opens a new pool; throws, and changes nothing, if either fails. */
  reload(): Promise<readonly string[]>;
  /** Releases everything that was acquired, last one first. */
  release(): Promise<void>;
}

/** Resolves the settings, opens the log and the pool. Releases what it acquired if it fails. */
export async function createContext(options: ContextOptions): Promise<Context> {
  const releasers = createReleasers();
  try {
    const loaded = await loadConfig(options);
    const log = createLog(loaded.config, options.output);
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
        // Once a stop has begun, nobody would close another pool.
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
      // A run in progress keeps the pool it began with; `retire` waits for it.
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

/** Keys whose value is another now. */
function changedKeys(before: LoadedConfig, after: LoadedConfig): readonly string[] {
  const shown = new Map(before.settings.map((setting) => [setting.key, setting.value]));
  return after.settings
    .filter(
      ({ key, value }) =>
        shown.get(key) !== value || unshown(key, before.config) !== unshown(key, after.config),
    )
    .map(({ key }) => key);
}

/** What a setting's value does not show: a secret is masked, a path does not tell what is there. */
function unshown(key: SettingKey, { db }: Config): string | undefined {
  if (key === 'DB_PASSWORD') return db.password;
  return key === 'DB_SSL_CA' ? db.sslCa : undefined;
}
