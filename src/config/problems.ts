import { AppError } from '../errors.js';

import { mask, showValue } from './masking.js';
import { settingOf, type SettingKey } from './settings.js';

export interface Problem {
  /** The setting; undefined if a whole file is the problem. */
  readonly key?: SettingKey;
  /** The name of the source or file. */
  readonly source?: string | undefined;
  readonly expected: string;
  /** The value found. It is masked, escaped and cut before it is shown. */
  readonly found?: string | undefined;
  /** Our description, instead of a value. */
  readonly foundNote?: string;
  /** Whether it is a required setting without a value. */
  readonly isMissing?: boolean;
}

/** Returns one error for all problems, with one line per problem and one per note. */
export function settingsError(
  problems: readonly Problem[],
  secrets: readonly string[],
  notes: readonly string[] = [],
): AppError {
  const head = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} with the settings:`;
  const lines = [...problems.map((problem) => describe(problem, secrets)), ...notes].map(
    (line) => `  ${line}`,
  );
  return new AppError('SETTINGS_INVALID', [head, ...lines].join('\n'), {
    hint: '`registry-stats config --help` explains each setting',
  });
}

function describe(problem: Problem, secrets: readonly string[]): string {
  const { key, source, expected } = problem;
  const subject = key && source ? `${key} (${source})` : (key ?? source ?? 'settings');
  return `${subject}: expected ${expected}, found ${describeFound(problem, secrets)}`;
}

function describeFound({ key, found, foundNote }: Problem, secrets: readonly string[]): string {
  if (found === undefined) return foundNote ?? 'nothing';
  if (key && settingOf(key).isSecret) return mask;
  return showValue(found, secrets);
}
