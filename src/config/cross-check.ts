import { isLive, mayEmbed, type AptEnv } from './apt-env.js';
import type { Problem } from './problems.js';
import { findValue, wrongValue, type RawSettings } from './raw-settings.js';
import type { SettingKey, Values } from './settings.js';

/** Returns the problems of settings that require or exclude each other. */
export function crossCheck(raw: RawSettings, values: Partial<Values>): Problem[] {
  const { APT_ENV: aptEnv } = values;
  if (aptEnv === undefined) return [];
  const isEmbedded = mayEmbed(aptEnv) && findValue(raw, 'DB_HOST') === undefined;
  const useSsl = findValue(raw, 'DB_USE_SSL') === undefined ? isLive(aptEnv) : values.DB_USE_SSL;
  // If DB_USE_SSL cannot be parsed, there is a problem for it already.
  const isPlain = useSsl === false;
  const isComplete = !mayLackASource(raw, values);
  return [
    ...(isComplete && !isEmbedded ? checkRequired(raw, values, aptEnv) : []),
    ...(isComplete ? checkReplica(raw, values) : []),
    ...(isPlain ? checkSslCa(raw) : []),
    ...(values.DB_IAM_AUTH === true ? checkIamAuth(raw, { isEmbedded, isPlain }) : []),
  ];
}

/** The settings that decide how Parameter Store is read. */
const storeKeys = ['APT_ENV', 'AWS_REGION', 'SSM_PATH', 'SSM_TIMEOUT'] as const;

/** Returns whether a source was not read. It may hold a setting that is missing here. */
function mayLackASource(raw: RawSettings, values: Partial<Values>): boolean {
  const isFileUnread = (raw.problems ?? []).some((problem) => problem.key === undefined);
  const isStoreUnread = storeKeys.some((key) => findValue(raw, key) && values[key] === undefined);
  return isFileUnread || isStoreUnread;
}

function checkRequired(raw: RawSettings, values: Partial<Values>, aptEnv: AptEnv): Problem[] {
  const needsPassword = isLive(aptEnv) && values.DB_IAM_AUTH === false;
  const required: SettingKey[] = ['DB_HOST', 'DB_NAME', 'DB_USER'];
  const sources = [...new Set(raw.sources.map((source) => source.name))].join(', ');
  return [...required, ...(needsPassword ? (['DB_PASSWORD'] as const) : [])]
    .filter((key) => findValue(raw, key) === undefined)
    .map((key) => ({
      key,
      expected: `a value (required ${reasonFor(key, aptEnv)})`,
      foundNote: `none in ${sources}`,
      isMissing: true,
    }));
}

function reasonFor(key: SettingKey, aptEnv: AptEnv): string {
  if (mayEmbed(aptEnv)) return 'because DB_HOST is set';
  const isHostOnly = key === 'DB_HOST' && !isLive(aptEnv);
  return `in ${aptEnv}${isHostOnly ? ': only dev and test embed PostgreSQL' : ''}`;
}

function checkReplica(raw: RawSettings, { VERIFY_DB_PORT: port }: Partial<Values>): Problem[] {
  if (port === undefined || findValue(raw, 'VERIFY_DB_HOST') !== undefined) return [];
  return [wrongValue(raw, 'VERIFY_DB_PORT', 'no value, or VERIFY_DB_HOST as well')];
}

function checkSslCa(raw: RawSettings): Problem[] {
  if (findValue(raw, 'DB_SSL_CA') === undefined) return [];
  return [wrongValue(raw, 'DB_SSL_CA', 'no value, or DB_USE_SSL=true as well')];
}

/** Requires TLS: a token is a password for 15 minutes and must not be sent in plain text. */
function checkIamAuth(raw: RawSettings, database: { isEmbedded: boolean; isPlain: boolean }) {
  const missing = [
    ...(database.isEmbedded ? ['DB_HOST'] : []),
    ...(database.isPlain ? ['DB_USE_SSL=true'] : []),
  ].join(' and ');
  const password = findValue(raw, 'DB_PASSWORD');
  // Registry uses the password in Parameter Store, so it is no mistake here.
  const hasOwnPassword = password !== undefined && password.source !== 'parameter store';
  return [
    ...(missing ? [wrongValue(raw, 'DB_IAM_AUTH', `false, or ${missing} as well`)] : []),
    ...(hasOwnPassword ? [wrongValue(raw, 'DB_PASSWORD', 'no value with DB_IAM_AUTH=true')] : []),
  ];
}
