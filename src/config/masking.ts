import { printableJson } from '../printable.js';

export const mask = '********';

/**
 * Returns a value that is safe to show: secrets masked, control characters escaped, one line, cut.
 */
export function showValue(text: string, secrets: readonly string[], maxLength = 80): string {
  const shown = Array.from(redactCredentials(redactSecrets(text, secrets)));
  const escaped = printableJson(JSON.stringify(shown.slice(0, maxLength).join('')));
  return shown.length > maxLength ? `${escaped}…` : escaped;
}

/** Replaces every secret in a text, also its URL-encoded form. */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets
    .flatMap((secret) => [
      secret,
      secret.trim(),
      // It throws on half of a surrogate pair.
      encodeURIComponent(secret.replace(/\p{Surrogate}/gu, '')),
    ])
    .filter((secret) => secret !== '')
    .sort((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, () => mask), text);
}

/** Masks anything that may be credentials, because people paste whole URLs. */
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
