import { printableJson } from '../printable.js';

export const mask = '********';

/** A value as it may be shown: no secret, no control character, on one line, not too long. */
export function showValue(text: string, secrets: readonly string[], maxLength = 80): string {
  const shown = Array.from(redact(text, secrets));
  const isCut = shown.length > maxLength;
  const escaped = printableJson(JSON.stringify(shown.slice(0, maxLength).join('')));
  return isCut ? `${escaped}…` : escaped;
}

/** Replaces the secrets themselves and whatever looks like credentials: people paste whole URLs. */
export function redact(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets
    .flatMap((secret) => [
      secret,
      secret.trim(),
      encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '')),
    ])
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
  let redacted = text;
  for (const secret of longestFirst) redacted = redacted.replaceAll(secret, () => mask);
  return redactCredentials(redacted);
}

function redactCredentials(text: string): string {
  const at = text.lastIndexOf('@');
  const scheme = text.indexOf('://');
  const start = scheme >= 0 && scheme < at ? scheme + 3 : 0;
  const withoutUserInfo = at > start ? `${text.slice(0, start)}${mask}${text.slice(at)}` : text;
  return withoutUserInfo.replace(
    /(pass|passwd|password|pwd|secret|token)(\s*[=:]\s*)('[^']*'?|"[^"]*"?|[^\s&;,]+)/gi,
    (_all, name: string, sign: string) => `${name}${sign}${mask}`,
  );
}
