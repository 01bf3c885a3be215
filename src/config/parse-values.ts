import { findValue, type Problem, type RawSettings } from './raw-settings.js';
import { settingKeys, settingOf, type Values } from './settings.js';

export interface ParsedValues {
  /** Without the settings that have a problem. */
  readonly values: Partial<Values>;
  readonly problems: readonly Problem[];
}

/** Each setting by itself; what settings demand of each other is checked by `crossCheck`. */
export function parseValues(raw: RawSettings): ParsedValues {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const key of settingKeys) {
    const setting = settingOf(key);
    const found = findValue(raw, key);
    const text = found?.text ?? setting.default;
    if (text === undefined) continue;
    const result = setting.schema.safeParse(text);
    if (result.success) {
      values[key] = result.data;
    } else {
      const expected = result.error.issues[0]?.message ?? 'another value';
      problems.push({ key, source: found?.source ?? 'default', expected, found: text });
    }
  }
  return { values, problems };
}
