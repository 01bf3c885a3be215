import type { AptEnv } from './config.js';
import { settingKeys, settings, type SettingKey } from './settings.js';

export type SourceName = 'environment' | 'parameter store' | `.env.${AptEnv}` | '.env';

export interface RawSource {
  readonly name: SourceName;
  readonly values: ReadonlyMap<SettingKey, string>;
}

/** What was found where, before it is understood. */
export interface RawSettings {
  readonly cwd: string;
  /** Strongest first. */
  readonly sources: readonly RawSource[];
  /** Where Parameter Store was read; absent when it was not. */
  readonly parameterStore?: { readonly path: string; readonly region: string } | undefined;
  /** What the file of DB_SSL_CA holds. */
  readonly sslCa?: string | undefined;
  /** Problems met while the sources were read. */
  readonly problems?: readonly Problem[];
}

export interface Problem {
  /** The setting; absent when a whole file is the problem. */
  readonly key?: SettingKey;
  /** The source's name, or the file's. */
  readonly source?: string;
  readonly expected: string;
  /** A value as it was found: masked, escaped and cut before it is shown. */
  readonly found?: string;
  /** Words of our own instead of a value. */
  readonly foundNote?: string;
  /** A required setting that no source has. */
  readonly isMissing?: boolean;
}

export interface FoundValue {
  readonly text: string;
  readonly source: SourceName;
}

/** The value that counts. White space alone is no value; around a value it is dropped, but a password keeps it. */
export function findValue(raw: RawSettings, key: SettingKey): FoundValue | undefined {
  for (const { name, values } of raw.sources) {
    const text = values.get(key);
    if (text === undefined || text.trim() === '') continue;
    return { text: key === 'DB_PASSWORD' ? text : text.trim(), source: name };
  }
  return undefined;
}

/** Every value of a secret in any source, overridden ones too: none may be shown. */
export function allSecrets(raw: RawSettings): string[] {
  const secretKeys = settingKeys.filter((key) => 'isSecret' in settings[key]);
  return raw.sources.flatMap(({ values }) => secretKeys.flatMap((key) => values.get(key) ?? []));
}

/** Only what is ours: other variables are not kept. */
export function pickOurs(values: Readonly<Record<string, string | undefined>>) {
  const picked = new Map<SettingKey, string>();
  for (const key of settingKeys) {
    const text = values[key];
    if (text !== undefined) picked.set(key, text);
  }
  return picked;
}
