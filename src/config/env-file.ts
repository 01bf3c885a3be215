import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { nearest } from '../nearest.js';

import type { Problem } from './problems.js';
import { pickSettings, type SourceName } from './raw-settings.js';
import { settingKeys, type SettingKey } from './settings.js';

interface EnvFile {
  readonly name: SourceName;
  readonly values: Map<SettingKey, string>;
  readonly problems: readonly Problem[];
  /** Names that are probably mistyped settings, a sentence each. Never with a value. */
  readonly notes: readonly string[];
}

const maxBytes = 64 * 1024;

/** Reads one .env file. A missing file is empty. A file that would lose a setting is a problem. */
export async function readEnvFile(cwd: string, name: SourceName): Promise<EnvFile> {
  try {
    const file = join(cwd, name);
    const info = await stat(file);
    if (info.isDirectory()) return unusable(name, 'a directory');
    // Reading a named pipe would never end.
    if (!info.isFile()) return unusable(name, 'something that is not a file');
    if (info.size > maxBytes) return unusable(name, `${info.size} bytes`);
    return parseFile(name, await readFile(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error';
    if (code === 'ENOENT' || code === 'ENOTDIR') return empty(name, []);
    return unusable(name, `${code} on reading it`);
  }
}

function unusable(name: SourceName, foundNote: string): EnvFile {
  const expected = 'a readable UTF-8 text file of at most 64 KiB with lines KEY=value';
  return empty(name, [{ source: name, expected, foundNote }]);
}

function empty(name: SourceName, problems: readonly Problem[]): EnvFile {
  return { name, values: new Map(), problems, notes: [] };
}

function parseFile(name: SourceName, bytes: Buffer): EnvFile {
  if (bytes.includes(0)) return unusable(name, 'a NUL byte');
  let text: string;
  try {
    // Also drops a byte order mark, which would become part of the first key.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return unusable(name, 'bytes that are not UTF-8');
  }
  const { fault, cutKeys } = findLineFaults(text);
  if (fault !== undefined) return unusable(name, fault);
  const expected = 'quotes around a value that holds "#"';
  const foundNote = 'a "#" without quotes';
  const problems = settingKeys
    .filter((key) => cutKeys.has(key))
    .map((key) => ({ key, source: name, expected, foundNote }));
  const variables = parseEnv(text);
  const values = pickSettings(variables);
  return { name, values, problems, notes: findMistyped(name, Object.keys(variables), values) };
}

/**
 * Reports only names near a setting that the file does not set: Registry and other programs keep
 * their own settings in the same file.
 */
function findMistyped(
  file: SourceName,
  names: readonly string[],
  values: ReadonlyMap<SettingKey, string>,
): string[] {
  const unset = settingKeys.filter((key) => !values.has(key));
  return names.flatMap((name) => {
    if (values.has(name as SettingKey)) return [];
    const meant = nearest(name, unset);
    return meant === undefined ? [] : [`${file}: ${name} is not a setting; did you mean ${meant}?`];
  });
}

interface LineFaults {
  /** The first line that makes the file unusable, without its content. */
  readonly fault?: string;
  /** Keys with an unquoted "#" inside a word: the value would lose its end. */
  readonly cutKeys: ReadonlySet<string>;
}

/**
 * Finds lines that `parseEnv` loses without an error. Node 20 and 22 differ here. A line without
 * "=" joins the next line, and "=x" ends the file. A "#" ends a value anywhere. An open quote takes
 * all lines up to the next quote, passwords too. Blanks are spaces and tabs only: other ones, such as
 * a second byte order mark, become part of the next key.
 */
function findLineFaults(text: string): LineFaults {
  const lines = text.split(/\r?\n/);
  const cutKeys = new Set<string>();
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? '';
    if (/^[ \t]*(#|$)/.test(line)) continue;
    const { key, value } = splitLine(line);
    if (key === undefined) return { fault: `another kind of line, line ${i + 1}`, cutKeys };
    const quote = /^["'`]/.exec(value)?.[0];
    if (quote === undefined) {
      if (/[^\s#]#/.test(value)) cutKeys.add(key);
    } else if (!value.includes(quote, 1)) {
      const end = lines.findIndex((other, at) => at > i && other.includes(quote));
      const quoted = end < 0 ? [line] : lines.slice(i, end + 1);
      // Our settings have one line each. Settings of other programs may have several.
      if (quoted.some(isSetting))
        return { fault: `a quote that is not closed, line ${i + 1}`, cutKeys };
      i = Math.max(i, end);
    }
  }
  return { cutKeys };
}

function splitLine(line: string): { key: string | undefined; value: string } {
  const [, key, value = ''] =
    /^[ \t]*(?:export )?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*(.*)$/.exec(line) ?? [];
  return { key, value };
}

function isSetting(line: string): boolean {
  return settingKeys.some((key) => key === splitLine(line).key);
}
