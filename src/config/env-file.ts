import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

import { findLineFaults } from './env-lines.js';
import { pickOurs, type Problem } from './raw-settings.js';
import { settingKeys, type SettingKey } from './settings.js';

export interface EnvFile {
  readonly values: Map<SettingKey, string>;
  readonly problems: readonly Problem[];
}

const maxBytes = 64 * 1024;

/** Reads one .env file. A missing one holds nothing; one that cannot be trusted is a problem. */
export async function readEnvFile(cwd: string, name: string): Promise<EnvFile> {
  try {
    const file = join(cwd, name);
    const info = await stat(file);
    if (info.isDirectory()) return broken(name, 'a directory');
    // Reading a named pipe would wait for ever.
    if (!info.isFile()) return broken(name, 'something that is not a file');
    if (info.size > maxBytes) return broken(name, `${info.size} bytes`);
    return parseText(name, await readFile(file));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'an error';
    return code === 'ENOENT' || code === 'ENOTDIR'
      ? nothing
      : broken(name, `${code} on reading it`);
  }
}

const nothing: EnvFile = { values: new Map(), problems: [] };

function broken(source: string, foundNote: string): EnvFile {
  const expected = 'a readable UTF-8 text file of at most 64 KiB with lines KEY=value';
  return { values: new Map(), problems: [{ source, expected, foundNote }] };
}

function parseText(name: string, bytes: Buffer): EnvFile {
  if (bytes.includes(0)) return broken(name, 'a NUL byte');
  let text: string;
  try {
    // Drops a byte order mark too, which would become part of the first key.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return broken(name, 'bytes that are not UTF-8');
  }
  const { fault, cutKeys } = findLineFaults(text);
  if (fault !== undefined) return broken(name, fault);
  const cut = settingKeys.filter((key) => cutKeys.includes(key));
  const problems = cut.map((key) => ({ key, source: name, ...cutProblem }));
  return { values: pickOurs(parseEnv(text)), problems };
}

const cutProblem = {
  expected: 'quotes around a value that holds "#"',
  foundNote: 'a "#" without quotes',
};
