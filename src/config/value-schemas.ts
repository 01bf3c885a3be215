import { isIP } from 'node:net';

import { validate } from 'node-cron';
import { z } from 'zod';

// Schemas that parse the text of a setting. Each message completes "expected …".

/** Accepts what Go's strconv.ParseBool accepts, because Registry reads the same values. */
export const booleanText = z.stringbool({
  truthy: ['1', 't', 'T', 'TRUE', 'true', 'True'],
  falsy: ['0', 'f', 'F', 'FALSE', 'false', 'False'],
  case: 'sensitive',
  error: 'true or false (or 1, 0, t, f)',
});

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
const expectedDuration = 'a time like 500ms, 20s, 5m or 2h, above zero and at most 7 days';

/** Milliseconds. The maximum is seven days: setTimeout fires at once beyond 2^31-1 ms. */
export const duration = z
  .string()
  .regex(/^\d{1,9}(ms|s|m|h)?$/, expectedDuration)
  .transform((text) => parseInt(text, 10) * (unitsMs[text.replace(/\d+/, '') || 's'] ?? NaN))
  .refine((value) => value > 0 && value <= maxDurationMs, expectedDuration);

export function oneOf<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, `one of ${names.join(', ')}`);
}

export function plainText(expected: string) {
  return z
    .string()
    .max(4096, expected)
    .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, expected);
}

/** Accepts a PostgreSQL name. PostgreSQL would cut a longer name at 63 bytes without an error. */
export function databaseIdentifier(what: string) {
  const expected = `${what} of at most 63 bytes without control characters`;
  return plainText(expected).refine((text) => Buffer.byteLength(text) <= 63, expected);
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Registry's -1 to 7. Its panic (5) becomes fatal; its none (6) and disabled (7) become silent. */
const registryLevels = 'trace debug info warn error fatal fatal silent silent'.split(' ');

export const logLevel = z
  .string()
  .transform((text) => (/^(-1|[0-7])$/.test(text) ? registryLevels[Number(text) + 1] : text))
  .pipe(z.enum(logLevels, `one of ${logLevels.join(', ')}, or a whole number from -1 to 7`));

const cronText = z.string().transform((text) => text.replace(/\s+/g, ' '));

export const cronExpression = cronText.refine(
  isCronExpression,
  'a cron expression of 5 or 6 fields, like "0 * * * *" (UTC)',
);

export const cronExpressionOrOff = cronText.refine(
  (text) => text === 'off' || isCronExpression(text),
  'a cron expression of 5 or 6 fields, like "0 7 * * 0" (UTC), or "off"',
);

function isCronExpression(text: string): boolean {
  const fields = text.split(' ');
  if (fields.length < 5 || fields.length > 6) return false;
  // node-cron expands ranges before it checks them: "0-999999999 * * * *" would exhaust memory.
  if (/\d{3}/.test(text) || !fields.every((field) => /^[\w*,/-]{1,200}$/.test(field))) return false;
  try {
    return validate(text);
  } catch {
    return false;
  }
}

const expectedHost = 'a host name or an IP address alone';

export const listenHost = z
  .string()
  .refine(isHost, `${expectedHost}, like 127.0.0.1, 0.0.0.0 or ::`);

/** A host name, an IP address, or the directory of PostgreSQL's socket. The port is a setting. */
export function databaseHost(portKey: string) {
  return z.string().refine((text) => isHost(text) || isSocketDirectory(text), {
    error: ({ input }) => `${expectedHost}${explainHost(String(input), portKey)}`,
  });
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.replace(/\.$/, '').split('.');
  // Names of compose services may contain "_". A last label of digits is a wrong IP address.
  const areLabelsValid = labels.every((l) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(l));
  return text.length <= 253 && areLabelsValid && !/^\d+$/.test(labels.at(-1) ?? '');
}

function isSocketDirectory(text: string): boolean {
  return /^(\/[\w.@+-]+)+\/?$/.test(text) && text.length <= 100;
}

function explainHost(text: string, portKey: string): string {
  if (text.includes('://')) return ', not a URL (port, name, user and password have settings)';
  if (text.includes('@')) return ', without user or password (they are DB_USER and DB_PASSWORD)';
  if (/^\[.*\]/.test(text)) return ', an IPv6 address without brackets';
  const [host = '', port = '', ...more] = text.split(':');
  const hasPort = more.length === 0 && /^\d+$/.test(port) && isHost(host);
  return hasPort ? `, without a port (that is ${portKey})` : '';
}

const expectedWebhook = 'an http or https URL without user and password';

/** The URL is a secret, so no message repeats it. */
export const webhookUrl = plainText(expectedWebhook).refine(isWebhookUrl, expectedWebhook);

function isWebhookUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

export const awsRegion = z
  .string()
  .regex(/^[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d{1,2}$/, 'a region like us-east-1');

/** Adds a slash at the end; keeps 'none'. */
export const ssmPath = z
  .string()
  .regex(/^(none|(\/[\w.-]+){1,15}\/?)$/, 'a path like /PROD/REGISTRY/, or none')
  .max(1000, 'a path of at most 1000 characters')
  .transform((text) => (text === 'none' || text.endsWith('/') ? text : `${text}/`));
