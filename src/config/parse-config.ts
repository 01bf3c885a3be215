import { resolve } from 'node:path';

import type { Config } from './config.js';
import { crossCheck } from './cross-check.js';
import { deepFreeze } from './deep-freeze.js';
import { dbNameDefault, dbUserDefault, isLive, storePath } from './derived-defaults.js';
import { settingsError } from './problems.js';
import { findValue, type RawSettings } from './raw-settings.js';
import type { Values } from './settings.js';
import { parseValues } from './parse-values.js';

/**
 * Understands the settings. Reads nothing.
 * @throws AppError SETTINGS_INVALID with every problem there is; PARAMETER_STORE_INCOMPLETE when
 * all that is wrong is that required settings are missing although Parameter Store was read.
 */
export function parseConfig(raw: RawSettings): Config {
  const { values, problems } = parseValues(raw);
  const all = [...(raw.problems ?? []), ...problems, ...crossCheck(raw, values)];
  if (all.length > 0) throw settingsError(all, raw);
  // No problem means that every setting with a default has a value.
  return deepFreeze(toConfig(values as Values, raw));
}

function toConfig(values: Values, raw: RawSettings): Config {
  const aptEnv = values.APT_ENV;
  return {
    aptEnv,
    isAptEnvExplicit: findValue(raw, 'APT_ENV') !== undefined,
    isLive: isLive(aptEnv),
    isMaintenance: values.MAINTENANCE_MODE,
    ssmPath: storePath(aptEnv, values.SSM_PATH),
    awsRegion: values.AWS_REGION,
    dataDir: resolve(raw.cwd, values.DATA_DIR),
    db: toDb(values, raw),
    log: { level: values.LOG_LEVEL, sql: values.LOG_SQL, format: values.LOG_FORMAT },
    refreshSchedule: values.REFRESH_SCHEDULE,
    verifySchedule: values.VERIFY_SCHEDULE === 'off' ? undefined : values.VERIFY_SCHEDULE,
    timeouts: {
      countsMs: values.COUNTS_TIMEOUT,
      depositsMs: values.DEPOSITS_TIMEOUT,
      historyMs: values.HISTORY_TIMEOUT,
      lockMs: values.LOCK_TIMEOUT,
      shutdownMs: values.SHUTDOWN_TIMEOUT,
    },
    retryAttempts: values.RETRY_ATTEMPTS,
    status: { host: values.STATUS_HOST, port: values.STATUS_PORT },
  };
}

function toDb(values: Values, raw: RawSettings): Config['db'] {
  const aptEnv = values.APT_ENV;
  return {
    host: values.DB_HOST,
    port: values.DB_PORT,
    name: values.DB_NAME ?? dbNameDefault(aptEnv),
    user: values.DB_USER ?? dbUserDefault,
    password: values.DB_IAM_AUTH ? undefined : values.DB_PASSWORD,
    isIamAuth: values.DB_IAM_AUTH,
    useSsl: values.DB_USE_SSL ?? isLive(aptEnv),
    sslCa: raw.sslCa,
    poolSize: values.DB_POOL_SIZE,
    connectTimeoutMs: values.DB_CONNECT_TIMEOUT,
  };
}
