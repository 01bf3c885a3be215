import type { AptEnv } from './config.js';
import { isLive, mayEmbed } from './derived-defaults.js';
import { findValue, type Problem, type RawSettings } from './raw-settings.js';
import type { SettingKey, Values } from './settings.js';

/** What settings demand of each other. */
export function crossCheck(raw: RawSettings, values: Partial<Values>): Problem[] {
  const { APT_ENV: aptEnv } = values;
  if (aptEnv === undefined) return [];
  return [
    ...checkRequired(raw, values, aptEnv),
    ...checkSslCa(raw, values, aptEnv),
    ...checkIamAuth(raw, values, aptEnv),
  ];
}

function checkRequired(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  if (mayMissASource(raw, values)) return [];
  const names = raw.sources.map((source) => source.name);
  const where = [...new Set<string>([...names, '.env'])].join(', ');
  return requiredKeys(raw, values, aptEnv)
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

function requiredKeys(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): SettingKey[] {
  if (isLive(aptEnv)) {
    const password = values.DB_IAM_AUTH === false ? (['DB_PASSWORD'] as const) : [];
    return ['DB_HOST', 'DB_NAME', 'DB_USER', ...password];
  }
  const isEmbedded = mayEmbed(aptEnv) && findValue(raw, 'DB_HOST') === undefined;
  return isEmbedded ? [] : ['DB_HOST', 'DB_NAME', 'DB_USER'];
}

function why(key: SettingKey, aptEnv: AptEnv): string {
  if (mayEmbed(aptEnv)) return 'because DB_HOST is set';
  return key === 'DB_HOST' ? `in ${aptEnv}: only dev and test embed PostgreSQL` : `in ${aptEnv}`;
}

function checkSslCa(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  const ca = findValue(raw, 'DB_SSL_CA');
  if (!ca || useSsl(raw, values, aptEnv) !== false) return [];
  const expected = 'no value, or DB_USE_SSL=true beside it';
  return [{ key: 'DB_SSL_CA', source: ca.source, expected, found: ca.text }];
}

/** A token is a password of 15 minutes: whoever reads it on its way can use it. */
function checkIamAuth(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  const iamAuth = findValue(raw, 'DB_IAM_AUTH');
  if (!iamAuth || values.DB_IAM_AUTH !== true) return [];
  const wanting = [
    ...(mayEmbed(aptEnv) && findValue(raw, 'DB_HOST') === undefined ? ['DB_HOST'] : []),
    ...(useSsl(raw, values, aptEnv) === false ? ['DB_USE_SSL=true'] : []),
  ];
  const expected = `false, or ${wanting.join(' and ')} beside it`;
  const { source, text: found } = iamAuth;
  return [
    ...(wanting.length > 0 ? [{ key: 'DB_IAM_AUTH', source, expected, found } as const] : []),
    ...checkNoPassword(raw),
  ];
}

/** That in Parameter Store is Registry's own, and not used. */
function checkNoPassword(raw: RawSettings): Problem[] {
  const password = findValue(raw, 'DB_PASSWORD');
  if (!password || password.source === 'parameter store') return [];
  const expected = 'no value beside DB_IAM_AUTH=true';
  return [{ key: 'DB_PASSWORD', source: password.source, expected, found: password.text }];
}

/** undefined: it is not known, for its value is wrong. */
function useSsl(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): boolean | undefined {
  return findValue(raw, 'DB_USE_SSL') === undefined ? isLive(aptEnv) : values.DB_USE_SSL;
}
