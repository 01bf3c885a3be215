import type { AptEnv } from './apt-env.js';
import type { Problem } from './problems.js';
import { settingKeys, settingOf, type SettingKey } from './settings.js';

export type SourceName = 'environment' | 'parameter store' | `.env.${AptEnv}` | '.env';

export interface RawSource {
  readonly name: SourceName;
  readonly values: ReadonlyMap<SettingKey, string>;
}

/** What each source holds, as text, before it is parsed. */
export interface RawSettings {
  readonly cwd: string;
  /** Strongest first. */
  readonly sources: readonly RawSource[];
  /** Where Parameter Store was read; absent when it was not. */
  readonly parameterStore?: { readonly path: string; readonly region: string };
  /** The content of the file that DB_SSL_CA names. */
  readonly sslCa?: string | undefined;
  /** Problems found while the sources were read. */
  readonly problems?: readonly Problem[];
}

/**
 * Returns the value of the strongest source. White space alone is no value; around a value it is
 * dropped, but a password keeps it.
 */
export function findValue(raw: RawSettings, key: SettingKey) {
  for (const { name: source, values } of raw.sources) {
    const text = values.get(key);
    if (text === undefined || text.trim() === '') continue;
    return { text: key === 'DB_PASSWORD' ? text : text.trim(), source };
  }
  return undefined;
}

/** Returns the problem that the value of a setting is not the expected one. */
export function wrongValue(raw: RawSettings, key: SettingKey, expected: string): Problem {
  const { text: found, source } = findValue(raw, key) ?? {};
  return { key, source, expected, found };
}

/** Returns every value of a secret in any source, overridden ones too: none may be shown. */
export function allSecrets(raw: RawSettings): string[] {
  const secretKeys = settingKeys.filter((key) => settingOf(key).isSecret);
  return raw.sources.flatMap(({ values }) => secretKeys.flatMap((key) => values.get(key) ?? []));
}

/** Returns only our settings: other variables are not kept. */
export function pickSettings(variables: Readonly<Record<string, string | undefined>>) {
  const picked = new Map<SettingKey, string>();
  for (const key of settingKeys) {
    const text = variables[key];
    if (text !== undefined) picked.set(key, text);
  }
  return picked;
}
