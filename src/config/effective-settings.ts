import type { Config } from './config.js';
import { mask } from './masking.js';
import { findValue, type RawSettings, type SourceName } from './raw-settings.js';
import { settingKeys, settingOf, type SettingKey } from './settings.js';

export interface EffectiveSetting {
  readonly key: SettingKey;
  /** As text; a secret that is set is masked; empty where nothing is set. */
  readonly value: string;
  readonly source: SourceName | 'default' | 'unset';
  readonly isSecret: boolean;
  readonly about: string;
}

/** Each setting with the value that is in effect and where it came from. */
export function listEffectiveSettings(raw: RawSettings, config: Config): EffectiveSetting[] {
  return settingKeys.map((key) => {
    const { about, isSecret = false } = settingOf(key);
    return { key, ...valueOf(raw, config, key, isSecret), isSecret, about };
  });
}

function valueOf(raw: RawSettings, config: Config, key: SettingKey, isSecret: boolean) {
  const found = findValue(raw, key);
  if (found) return { value: isSecret ? mask : found.text, source: found.source };
  const value = settingOf(key).default ?? derivedDefault(config, key);
  return value === undefined
    ? { value: '', source: 'unset' as const }
    : { value, source: 'default' as const };
}

function derivedDefault(config: Config, key: SettingKey): string | undefined {
  const derived: Partial<Record<SettingKey, string | undefined>> = {
    SSM_PATH: config.ssmPath,
    DB_NAME: config.db.name,
    DB_USER: config.db.user,
    DB_USE_SSL: String(config.db.useSsl),
  };
  return derived[key];
}
