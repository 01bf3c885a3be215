import type { Config } from '../config/config.js';
import { AppError } from '../errors.js';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
}

/** The PostgreSQL server to work with. */
export interface DatabaseServer {
  /** Whether it is the developer's own, started by this program. */
  readonly isEmbedded: boolean;
  addressFor(config: Config): ServerAddress;
  release(): Promise<void>;
}

/** The server that DB_HOST names; without it, in dev and test, an embedded one. */
export async function locateServer(
  config: Config,
  options: { onProgress?: (message: string) => void; signal: AbortSignal },
): Promise<DatabaseServer> {
  if (config.db.host !== undefined) {
    return { isEmbedded: false, addressFor: addressFrom, release: () => Promise.resolve() };
  }
  // Loaded only here: it is for development, and not part of the production image.
  const { acquireEmbeddedServer, ensureDatabase } = await import('../dev/embedded/index.js');
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

function addressFrom(config: Config): ServerAddress {
  const { host, port, user, password } = config.db;
  if (host === undefined) {
    throw new AppError('SETTINGS_INVALID', 'DB_HOST: expected a host name, found nothing', {
      hint: 'a daemon that was started with DB_HOST needs it at every reload',
    });
  }
  return { host, port, user, password };
}
