import { resolve } from 'node:path';

import type { AppError } from '../errors.js';

import { isLive, storePath } from './apt-env.js';
import { crossCheck } from './cross-check.js';
import { incompleteError } from './parameter-store-errors.js';
import { settingsError, type Problem } from './problems.js';
import { allSecrets, findValue, wrongValue, type RawSettings } from './raw-settings.js';
import { settingKeys, settingOf, type Values } from './settings.js';

/** The typed settings, frozen. Times are in milliseconds. */
export type Config = DeepReadonly<ReturnType<typeof toConfig>>;

/**
 * Parses the settings. Reads no file, no environment and no network.
 * @throws AppError SETTINGS_INVALID with every problem
 * @throws AppError PARAMETER_STORE_INCOMPLETE if Parameter Store was read and settings are missing,
 * with no other problem
 */
export function parseConfig(raw: RawSettings): Config {
  const { values, problems } = parseValues(raw);
  const all = [...(raw.problems ?? []), ...problems, ...crossCheck(raw, values)];
  if (all.length > 0) throw errorFor(all, raw);
  // Without problems, every setting with a default has a value.
  return deepFreeze(toConfig(values as Values, raw));
}

function errorFor(problems: readonly Problem[], raw: RawSettings): AppError {
  const missing = problems.flatMap(({ isMissing, key }) => (isMissing && key ? [key] : []));
  return raw.parameterStore && missing.length === problems.length
    ? incompleteError(raw.parameterStore, missing)
    : settingsError(problems, allSecrets(raw), raw.notes);
}

/** Parses each setting alone and omits invalid values; `crossCheck` compares them. */
export function parseValues(raw: RawSettings): { values: Partial<Values>; problems: Problem[] } {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const key of settingKeys) {
    const { schema, default: byDefault } = settingOf(key);
    const text = findValue(raw, key)?.text ?? byDefault;
    if (text === undefined) continue;
    const { success, data, error } = schema.safeParse(text);
    if (success) values[key] = data;
    else problems.push(wrongValue(raw, key, error.issues[0]?.message ?? 'another value'));
  }
  return { values, problems };
}

function toConfig(values: Values, raw: RawSettings) {
  const aptEnv = values.APT_ENV;
  return {
    aptEnv,
    /** False if APT_ENV is a default. */
    isAptEnvExplicit: findValue(raw, 'APT_ENV') !== undefined,
    /** True in staging, demo and production. */
    isLive: isLive(aptEnv),
    isMaintenance: values.MAINTENANCE_MODE,
    /** undefined: Parameter Store is not used. */
    ssmPath: storePath(aptEnv, values.SSM_PATH),
    awsRegion: values.AWS_REGION,
    /** Absolute. */
    dataDir: resolve(raw.cwd, values.DATA_DIR),
    db: toDb(values, raw),
    replica: toReplica(values),
    log: { level: values.LOG_LEVEL, sql: values.LOG_SQL, format: values.LOG_FORMAT },
    refreshSchedule: values.REFRESH_SCHEDULE,
    /** undefined: never. */
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
    /** undefined: no notifications. Secret. */
    notifyUrl: values.NOTIFY_URL,
  };
}

function toDb(values: Values, raw: RawSettings) {
  return {
    /** undefined: the embedded PostgreSQL. */
    host: values.DB_HOST,
    port: values.DB_PORT,
    name: values.DB_NAME ?? `registry_stats_${values.APT_ENV}`,
    user: values.DB_USER ?? 'registry',
    /** undefined with `isIamAuth`, which uses tokens. */
    password: values.DB_IAM_AUTH ? undefined : values.DB_PASSWORD,
    isIamAuth: values.DB_IAM_AUTH,
    useSsl: values.DB_USE_SSL ?? isLive(values.APT_ENV),
    /** PEM certificates from DB_SSL_CA, read when the settings were loaded. */
    sslCa: raw.sslCa,
    poolSize: values.DB_POOL_SIZE,
    connectTimeoutMs: values.DB_CONNECT_TIMEOUT,
  };
}

/** Returns undefined if verifications read from the primary. */
function toReplica(values: Values) {
  const { VERIFY_DB_HOST: host, VERIFY_DB_PORT: port = values.DB_PORT } = values;
  return host === undefined ? undefined : { host, port };
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

function deepFreeze<T>(value: T): DeepReadonly<T> {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value as DeepReadonly<T>;
}
