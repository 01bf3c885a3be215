import { z } from 'zod';

import { logLevels, type LogLevel } from './config.js';

/** Registry's integers: panic (5) is our fatal; none (6) and disabled (7) are our silent. */
const registryLevels: Readonly<Partial<Record<string, LogLevel>>> = {
  '-1': 'trace',
  '0': 'debug',
  '1': 'info',
  '2': 'warn',
  '3': 'error',
  '4': 'fatal',
  '5': 'fatal',
  '6': 'silent',
  '7': 'silent',
};

export function logLevel() {
  return z.string().transform((text, context) => {
    const level =
      (Object.hasOwn(registryLevels, text) ? registryLevels[text] : undefined) ??
      logLevels.find((name) => name === text);
    if (level !== undefined) return level;
    const message = `one of ${logLevels.join(', ')}, or a whole number from -1 to 7`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export function region() {
  return z.string().regex(/^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/, 'a region like us-east-1');
}

/** The path with a slash at its end, or 'none'. */
export function ssmPath() {
  return z
    .string()
    .regex(/^(none|(\/[\w.-]+){1,15}\/?)$/, 'a path like /PROD/REGISTRY/, or none')
    .max(1000, 'a path of at most 1000 characters')
    .transform((text) => (text === 'none' || text.endsWith('/') ? text : `${text}/`));
}
