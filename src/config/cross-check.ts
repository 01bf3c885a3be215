import type { AptEnv } from './config.js';
import { isLive, mayEmbed } from './derived-defaults.js';
import type { Problem } from './problems.js';
import { findValue, type RawSettings } from './raw-settings.js';
import type { SettingKey, Values } from './settings.js';

/** What settings demand of each other. */
export function crossCheck(raw: RawSettings, values: Partial<Values>): Problem[] {
  const { APT_ENV: aptEnv } = values;
  if (aptEnv === undefined) return [];
  return [...checkRequired(raw, values, aptEnv), ...checkSslCa(raw, values, aptEnv)];
}

function checkRequired(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  if (mayMissASource(raw, values)) return [];
  const names = raw.sources.map((source) => source.name);
  const where = [...new Set<string>([...names, '.env'])].join(', ');
  return requiredKeys(raw, aptEnv)
    .filter((key) => findValue(raw, key) === undefined)
    .map((key) => ({
      key,
      expected: `a value (required ${isLive(aptEnv) ? `in ${aptEnv}` : why(key, aptEnv)})`,
      foundNote: `none in ${where}`,
      isMissing: true,
    }));
}

/** What decides whether, where and how Parameter Store is read. */
const storeKeys = ['APT_ENV', 'AWS_REGION', 'SSM_PATH', 'SSM_TIMEOUT'] as const;

/** A source that could not be read may hold what seems to be missing: do not send people astray. */
function mayMissASource(raw: RawSettings, values: Partial<Values>): boolean {
  const isFileBroken = (raw.problems ?? []).some((problem) => problem.key === undefined);
  const isStoreUnknown = storeKeys.some((key) => findValue(raw, key) && values[key] === undefined);
  return isFileBroken || isStoreUnknown;
}

function requiredKeys(raw: RawSettings, aptEnv: AptEnv): SettingKey[] {
  if (isLive(aptEnv)) return ['DB_HOST', 'DB_NAME', 'DB_USER', 'DB_PASSWORD'];
  const isEmbedded = mayEmbed(aptEnv) && findValue(raw, 'DB_HOST') === undefined;
  return isEmbedded ? [] : ['DB_HOST', 'DB_NAME', 'DB_USER'];
}

function why(key: SettingKey, aptEnv: AptEnv): string {
  if (mayEmbed(aptEnv)) return 'because DB_HOST is set';
  return key === 'DB_HOST' ? `in ${aptEnv}: only dev and test embed PostgreSQL` : `in ${aptEnv}`;
}

function checkSslCa(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  const ca = findValue(raw, 'DB_SSL_CA');
  const isSslInvalid =
    findValue(raw, 'DB_USE_SSL') !== undefined && values.DB_USE_SSL === undefined;
  if (!ca || isSslInvalid || (values.DB_USE_SSL ?? isLive(aptEnv))) return [];
  const expected = 'no value, or DB_USE_SSL=true beside it';
  return [{ key: 'DB_SSL_CA', source: ca.source, expected, found: ca.text }];
}
