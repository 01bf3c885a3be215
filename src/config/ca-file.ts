import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { findValue, type RawSettings } from './raw-settings.js';

const maxBytes = 1024 * 1024;

/** Adds a problem when DB_SSL_CA does not name a readable PEM file with a certificate in it. */
export async function checkCaFile(raw: RawSettings): Promise<RawSettings> {
  const found = findValue(raw, 'DB_SSL_CA');
  if (!found || found.text.includes('\0')) return raw;
  const reason = await findFault(resolve(raw.cwd, found.text));
  if (reason === undefined) return raw;
  const expected = `the path of a readable PEM file with a certificate (${reason})`;
  const problem = { key: 'DB_SSL_CA', source: found.source, expected, found: found.text } as const;
  return { ...raw, problems: [...(raw.problems ?? []), problem] };
}

async function findFault(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return 'this is not a file';
    if (info.size > maxBytes) return `this has ${info.size} bytes`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
  try {
    new X509Certificate(await readFile(path));
    return undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return /^E[A-Z]+$/.test(code) ? code : 'there is none in it';
  }
}
