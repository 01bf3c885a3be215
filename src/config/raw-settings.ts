import type { AptEnv } from './apt-env.js';
import type { Problem } from './problems.js';
import { settingKeys, settingOf, type SettingKey } from './settings.js';

export type SourceName = 'environment' | 'parameter store' | `.env.${AptEnv}` | '.env';

export interface RawSource {
  readonly name: SourceName;
  readonly values: ReadonlyMap<SettingKey, string>;
}

/** The text in each source, not parsed yet. */
export interface RawSettings {
  readonly cwd: string;
  /** Strongest first. */
  readonly sources: readonly RawSource[];
  /** Undefined if Parameter Store was not read. */
  readonly parameterStore?: { readonly path: string; readonly region: string };
  /** The content of the file of DB_SSL_CA. */
  readonly sslCa?: string | undefined;
  readonly problems?: readonly Problem[];
  /** Names in the .env files that are probably mistyped settings, a sentence each. */
  readonly notes?: readonly string[];
}

/**
 * Returns the value of the strongest source. A value of white space counts as unset. Surrounding
 * white space is dropped, except from a password.
 */
export function findValue(raw: RawSettings, key: SettingKey) {
  for (const { name: source, values } of raw.sources) {
    const text = values.get(key);
    if (text === undefined || text.trim() === '') continue;
    return { text: key === 'DB_PASSWORD' ? text : text.trim(), source };
  }
  return undefined;
}

export function wrongValue(raw: RawSettings, key: SettingKey, expected: string): Problem {
  const { text: found, source } = findValue(raw, key) ?? {};
  return { key, source, expected, found };
}

/** Returns every value of every secret, overridden ones too: none may be shown. */
export function allSecrets(raw: RawSettings): string[] {
  const secretKeys = settingKeys.filter((key) => settingOf(key).isSecret);
  return raw.sources.flatMap(({ values }) => secretKeys.flatMap((key) => values.get(key) ?? []));
}

/** Returns only our settings, so other variables are not kept. */
export function pickSettings(variables: Readonly<Record<string, string | undefined>>) {
  const picked = new Map<SettingKey, string>();
  for (const key of settingKeys) {
    const text = variables[key];
    if (text !== undefined) picked.set(key, text);
  }
  return picked;
}
