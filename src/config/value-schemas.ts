import { validate } from 'node-cron';
import { z } from 'zod';

/**
 * Schemas from a setting's text to its typed value. The message of each is what was expected,
 * written to follow the word "expected".
 */

/** Exactly what Go's strconv.ParseBool takes, because Registry reads the same values. */
export function booleanText() {
  const yes = ['1', 't', 'T', 'TRUE', 'true', 'True'];
  const no = ['0', 'f', 'F', 'FALSE', 'false', 'False'];
  return z
    .string()
    .refine((text) => yes.includes(text) || no.includes(text), 'true or false (or 1, 0, t, f)')
    .transform((text) => yes.includes(text));
}

export function wholeNumber(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected);
}

const unitsMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const maxDurationMs = 7 * 24 * 3_600_000;

/** Milliseconds. Seven days at most: setTimeout fires at once beyond 2^31-1 ms. */
export function duration() {
  const expected = 'a time like 500ms, 20s, 5m or 2h, above zero and at most 7 days';
  return z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h)?$/, expected)
    .transform((text) => parseInt(text, 10) * (unitsMs[text.replace(/\d+/, '') || 's'] ?? NaN))
    .refine((value) => value > 0 && value <= maxDurationMs, expected);
}

export function oneOf<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, `one of ${names.join(', ')}`);
}

export function cronExpression() {
  return z
    .string()
    .transform((text) => text.replace(/\s+/g, ' '))
    .refine(isCronExpression, 'a cron expression of 5 or 6 fields, like "0 * * * *" (UTC)');
}

export function cronExpressionOrOff() {
  return z
    .string()
    .transform((text) => text.replace(/\s+/g, ' '))
    .refine(
      (text) => text === 'off' || isCronExpression(text),
      'a cron expression of 5 or 6 fields, like "0 7 * * 0" (UTC), or "off"',
    );
}

function isCronExpression(text: string): boolean {
  // node-cron expands ranges before it checks them: "0-999999999 * * * *" kills the process.
  const areFieldsSmall = text.split(' ').every((f) => /^[\w*,/-]{1,200}$/.test(f));
  const count = text.split(' ').length;
  if (!areFieldsSmall || /\d{3}/.test(text) || count < 5 || count > 6) return false;
  try {
    return validate(text);
  } catch {
    return false;
  }
}

/** A name that goes to PostgreSQL, which would cut it at 63 bytes without a word. */
export function databaseIdentifier(what: string) {
  return plainText(`${what} of at most 63 bytes without control characters`).refine(
    (text) => Buffer.byteLength(text) <= 63,
    `${what} of at most 63 bytes without control characters`,
  );
}

export function plainText(expected: string, maxLength = 4096) {
  return z
    .string()
    .max(maxLength, expected)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, expected);
}
