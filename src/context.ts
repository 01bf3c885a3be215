import type { Config } from './config/config.js';
import { loadConfig, type LoadedConfig } from './config/load-config.js';
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
  /** Whether a missing embedded database is created. Otherwise it is an error. */
  readonly mayCreateDatabase?: boolean;
  /** What starts this program here, for commands in messages. */
  readonly program?: string;
  /** Receives the progress of long steps before the database is open. */
  readonly onProgress?: (message: string) => void;
}

/** What every part of the program uses. A reload replaces `config`, `database` and `replica`. */
export interface Context {
  readonly config: Config;
  readonly log: Logger;
  readonly events: Events;
  readonly database: Database;
  /** Verifications read from it; undefined: from `database`. */
  readonly replica: Database | undefined;
  readonly server: DatabaseServer;
  readonly signal: AbortSignal;
  readonly releasers: Releasers;
  /** Starts the jobs. Only the daemon calls it. */
  initialise(): CronJobs;
  /** Reads the settings again and opens new pools. If either fails, throws and changes nothing. */
  reload(): Promise<readonly string[]>;
  /** Releases all resources, in reverse order. */
  release(): Promise<void>;
}

/** Loads the settings, opens the log and the pools. Releases them if a step fails. */
export async function createContext(options: ContextOptions): Promise<Context> {
  const releasers = createReleasers();
  try {
    const loaded = await loadConfig(options);
    const log = await createLog(loaded.config, options.output, options.program);
    logNotes(log, loaded.notes);
    const server = await locateServer(loaded.config, options);
    releasers.add(() => server.release());
    const pools = openPools(loaded.config, server, log);
    const context = buildContext(options, { loaded, ...pools, log, server, releasers });
    releasers.add(() => context.database.close());
    releasers.add(() => context.replica?.close());
    return context;
  } catch (error) {
    await releasers.releaseAll().catch(() => undefined);
    throw error;
  }
}

interface Parts extends Pools {
  loaded: LoadedConfig;
  readonly log: Logger;
  readonly server: DatabaseServer;
  readonly releasers: Releasers;
}

interface Pools {
  database: Database;
  replica: Database | undefined;
}

function buildContext(options: ContextOptions, parts: Parts): Context {
  const context: Context = {
    get config() {
      return parts.loaded.config;
    },
    get database() {
      return parts.database;
    },
    get replica() {
      return parts.replica;
    },
    log: parts.log,
    events: createEvents(),
    server: parts.server,
    signal: options.signal,
    releasers: parts.releasers,
    initialise: () => initCronJobs(context),
    reload: () => reload(options, parts),
    release: () => parts.releasers.releaseAll(),
  };
  return context;
}

async function reload(options: ContextOptions, parts: Parts): Promise<readonly string[]> {
  const loaded = await loadConfig(options);
  const { database, replica } = openPools(loaded.config, parts.server, parts.log);
  try {
    await database.read('select');
    // After a stop request, nothing would close another pool.
    options.signal.throwIfAborted();
  } catch (error) {
    await database.close();
    throw error;
  }
  const before = parts.loaded;
  const previous = [parts.database, parts.replica];
  parts.database = database;
  parts.replica = replica;
  parts.loaded = loaded;
  logNotes(parts.log, loaded.notes, before.notes);
  parts.log.level = loaded.config.log.level;
  // A running job or verification keeps its pool; `retire` waits for it.
  for (const pool of previous) void pool?.retire();
  return changedKeys(before, loaded);
}

/** Does not connect: a server that is away does not keep the daemon from starting. */
function openPools(config: Config, server: DatabaseServer, log: Logger): Pools {
  const { isMaintenance } = config;
  const address = server.addressFor(config);
  const open = (at: typeof address, poolSize: number): Database => {
    const connection = connectionSettings(config, at);
    return new Database({ connection, poolSize, isMaintenance, logSql: config.log.sql }, log);
  };
  return {
    database: open(address, config.db.poolSize),
    // One connection: if the name has several addresses, all statements reach the same server.
    replica: config.replica && open({ ...address, ...config.replica }, 1),
  };
}

/** Logs each note once, not at every reload. */
function logNotes(log: Logger, notes: readonly string[], logged: readonly string[] = []): void {
  for (const note of notes.filter((one) => !logged.includes(one))) log.warn(note);
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
