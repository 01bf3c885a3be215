import type { z } from 'zod';

import { ownSettings } from './own-settings.js';
import { registrySettings } from './registry-settings.js';
import type { Setting } from './setting.js';

/** Every setting there is. */
export const settings = { ...registrySettings, ...ownSettings } as const;

export type SettingKey = keyof typeof settings;

export const settingKeys = Object.keys(settings) as SettingKey[];

export function settingOf(key: SettingKey): Setting {
  return settings[key];
}

type Table = typeof settings;

/** The typed value of each setting; undefined only where there is no default. */
export type Values = {
  readonly [K in SettingKey]:
    z.output<Table[K]['schema']> | (Table[K]['default'] extends string ? never : undefined);
};
