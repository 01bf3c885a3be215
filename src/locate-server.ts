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
  addressFor(config: Config): ServerAddress;
  release(): Promise<void>;
}

/** Returns the server of DB_HOST; without it, in dev and test, an embedded one. */
export async function locateServer(
  config: Config,
  options: { onProgress?: (message: string) => void; signal: AbortSignal },
): Promise<DatabaseServer> {
  if (config.db.host !== undefined) {
    return { isEmbedded: false, addressFor: addressFrom, release: () => Promise.resolve() };
  }
  const { acquireEmbeddedServer } = await loadEmbedded(config);
  const embedded = await acquireEmbeddedServer({ ...options, dataDir: config.dataDir });
  try {
    await ensureDatabase(embedded, config.db.name);
  } catch (error) {
    await embedded.release();
    throw error;
  }
  return {
    isEmbedded: true,
    addressFor: (current) => (current.db.host === undefined ? embedded : addressFrom(current)),
    release: () => embedded.release(),
  };
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
