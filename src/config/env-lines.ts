import { settingKeys } from './settings.js';

/**
 * What `parseEnv` of node:util loses without a word, in ways that differ between Node 20 and 22:
 * a line without "=" takes the next one with it, "=x" ends the file, "#" ends a value anywhere, and
 * a forgotten quote takes all lines up to the next one, passwords too.
 */
export interface EnvLineFaults {
  /** The first line that makes the file useless, in words that quote nothing of it. */
  readonly fault: string | undefined;
  /** Keys with an unquoted "#" inside a word: half a password would be used. */
  readonly cutKeys: readonly string[];
}

export function findLineFaults(text: string): EnvLineFaults {
  const lines = text.split(/\r?\n/);
  const cutKeys: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const { key, value = '' } = splitLine(line);
    if (key === undefined) return { fault: `another kind of line, line ${i + 1}`, cutKeys };
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined) {
      if (/[^\s#]#/.test(value)) cutKeys.push(key);
    } else if (!value.includes(quote, 1)) {
      const end = lines.findIndex((other, at) => at > i && other.includes(quote));
      const taken = end < 0 ? [line] : lines.slice(i, end + 1);
      // None of our values has several lines; those of others may.
      if (taken.some(isOurs))
        return { fault: `a quote that is not closed, line ${i + 1}`, cutKeys };
      i = Math.max(i, end);
    }
  }
  return { fault: undefined, cutKeys };
}

function splitLine(line: string): { key?: string | undefined; value?: string | undefined } {
  const match = /^\s*(?:export )?([A-Za-z_][\w.-]*)[ \t]*=\s*(.*)$/.exec(line);
  return { key: match?.[1], value: match?.[2] };
}

function isOurs(line: string): boolean {
  const { key } = splitLine(line);
  return settingKeys.some((ours) => ours === key);
}
