import { AppError } from '../errors.js';

import { mask, showValue } from './masking.js';
import { allSecrets, type Problem, type RawSettings } from './raw-settings.js';
import { settingOf, type SettingKey } from './settings.js';

/** One error for all problems: one line each with key, source, what is expected, what was found. */
export function settingsError(problems: readonly Problem[], raw: RawSettings): AppError {
  const missing = problems.flatMap((p) => (p.isMissing === true && p.key ? [p.key] : []));
  if (raw.parameterStore && missing.length === problems.length) {
    return incompleteError(missing, raw.parameterStore);
  }
  const secrets = allSecrets(raw);
  const head = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'} with the settings:`;
  const lines = problems.map((problem) => `  ${describe(problem, secrets)}`);
  return new AppError('SETTINGS_INVALID', [head, ...lines].join('\n'), {
    hint: 'docs/settings.md explains each setting.',
  });
}

function describe(problem: Problem, secrets: readonly string[]): string {
  const { key, source, expected } = problem;
  const subject = key && source ? `${key} (${source})` : (key ?? source ?? 'settings');
  return `${subject}: expected ${expected}, found ${describeFound(problem, secrets)}`;
}

function describeFound({ key, found, foundNote }: Problem, secrets: readonly string[]): string {
  if (found === undefined) return foundNote ?? 'nothing';
  if (key && settingOf(key).isSecret === true) return mask;
  return showValue(found, secrets);
}

function incompleteError(
  missing: readonly SettingKey[],
  { path, region }: NonNullable<RawSettings['parameterStore']>,
): AppError {
  const message = `Parameter Store path ${path} in ${region} lacks ${missing.join(', ')}; no other source has it`;
  const paths = missing.map((key) => `${path}${key}`).join(', ');
  const hint = `Create ${paths}, or set the same names in the environment.`;
  return new AppError('PARAMETER_STORE_INCOMPLETE', message, { hint });
}
