import type { Config } from './config/config.js';
import { ensureDatabase } from './db/ensure-database.js';
import { errorCodeOf } from './db/sqlstate.js';
import { AppError } from './errors.js';

interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
}

export interface DatabaseServer {
  /** Whether this program started it, for a developer. */
  readonly isEmbedded: boolean;
  /** Whether it is embedded and another process used it when this one came. */
  readonly wasRunning: boolean;
  addressFor(config: Config): ServerAddress;
  release(): Promise<void>;
}

interface LocateOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (message: string) => void;
  readonly mayCreateDatabase?: boolean;
}

/**
 * Returns the server of DB_HOST; without it, in dev and test, an embedded one.
 * @throws AppError DATABASE_MISSING if there is no embedded one and it may not be created
 */
export async function locateServer(
  config: Config,
  options: LocateOptions,
): Promise<DatabaseServer> {
  if (config.db.host !== undefined) {
    const release = () => Promise.resolve();
    return { isEmbedded: false, wasRunning: false, addressFor: addressFrom, release };
  }
  const { acquireEmbeddedServer, hasEmbeddedData } = await loadEmbedded(config);
  const { dataDir } = config;
  const mayCreate = options.mayCreateDatabase === true;
  if (!mayCreate && !(await hasEmbeddedData(dataDir))) throw missingError(config, options.cwd);
  const embedded = await acquireEmbeddedServer({ ...options, dataDir });
  try {
    if (mayCreate) await ensureDatabase(embedded, config.db.name);
  } catch (error) {
    await embedded.release();
    throw error;
  }
  return {
    isEmbedded: true,
    wasRunning: embedded.wasRunning,
    addressFor: (current) => (current.db.host === undefined ? embedded : addressFrom(current)),
    release: () => embedded.release(),
  };
}

/** Names where the program looked, because the usual reason is another working directory. */
function missingError({ aptEnv, dataDir }: Config, cwd: string): AppError {
  return new AppError(
    'DATABASE_MISSING',
    `expected DB_HOST in the environment or in .env.${aptEnv} or .env of ${cwd}, ` +
      `or an embedded PostgreSQL in ${dataDir}; found neither`,
    {
      hint:
        'run it where these files are, or set DB_HOST or DATA_DIR; ' +
        '`registry-stats start` creates a database here',
    },
  );
}

/** Loads the embedded server only when needed: the production image does not contain it. */
async function loadEmbedded({ aptEnv }: Config): Promise<typeof import('./dev/embedded/index.js')> {
  try {
    return await import('./dev/embedded/index.js');
  } catch (error) {
    if (errorCodeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    const found = `nothing, with APT_ENV ${aptEnv} and no embedded PostgreSQL in this image`;
    throw new AppError('SETTINGS_INVALID', `DB_HOST: expected a host name, found ${found}`, {
      hint: 'set APT_ENV, DB_HOST, DB_NAME, DB_USER and DB_PASSWORD; a live APT_ENV finds the others in Parameter Store',
      cause: error,
    });
  }
}

function addressFrom(config: Config): ServerAddress {
  const { host, port, user, password } = config.db;
  if (host === undefined) {
    throw new AppError('SETTINGS_INVALID', 'DB_HOST: expected a host name, found nothing', {
      hint: 'a daemon started with DB_HOST needs it at every reload',
    });
  }
  return { host, port, user, password };
}
