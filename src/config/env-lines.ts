/**
 * What `parseEnv` of node:util loses without a word, in ways that differ between Node 20 and 22:
 * a line without "=" takes the next one with it, "=x" ends the file, "#" ends a value anywhere.
 */
export interface EnvLineFaults {
  /** Number of the first line that is not KEY=value. */
  readonly oddLine: number | undefined;
  /** Keys with an unquoted "#" inside a word: half a password would be used. */
  readonly cutKeys: readonly string[];
}

export function findLineFaults(text: string): EnvLineFaults {
  const lines = text.split(/\r?\n/);
  const cutKeys: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const [, key, value = ''] =
      /^\s*(?:export )?([A-Za-z_][\w.-]*)[ \t]*=\s*(.*)$/.exec(line) ?? [];
    if (key === undefined) return { oddLine: i + 1, cutKeys };
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote !== undefined) i = lastLineOfQuoted(lines, i, value, quote);
    else if (/[^\s#]#/.test(value)) cutKeys.push(key);
  }
  return { oddLine: undefined, cutKeys };
}

/** A quoted value may span lines; without a closing quote it ends with its line. */
function lastLineOfQuoted(
  lines: readonly string[],
  at: number,
  value: string,
  quote: string,
): number {
  if (value.includes(quote, 1)) return at;
  const end = lines.findIndex((line, i) => i > at && line.includes(quote));
  return end < 0 ? at : end;
}
