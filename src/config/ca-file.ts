import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { findValue, wrongValue, type RawSettings } from './raw-settings.js';

const maxBytes = 1024 * 1024;

/** Reads the file of DB_SSL_CA. Adds a problem unless every certificate is valid. */
export async function readCaFile(raw: RawSettings): Promise<RawSettings> {
  const path = findValue(raw, 'DB_SSL_CA')?.text;
  // The schema refuses a path with a NUL byte.
  if (path === undefined || path.includes('\0')) return raw;
  const { pem, fault } = await readPem(resolve(raw.cwd, path));
  if (fault === undefined) return { ...raw, sslCa: pem };
  const expected = `the path of a readable PEM file with a certificate (${fault})`;
  const problem = wrongValue(raw, 'DB_SSL_CA', expected);
  return { ...raw, problems: [...(raw.problems ?? []), problem] };
}

async function readPem(path: string): Promise<{ pem?: string; fault?: string | undefined }> {
  try {
    const info = await stat(path);
    if (!info.isFile()) return { fault: 'this is not a file' };
    if (info.size > maxBytes) return { fault: `this has ${info.size} bytes` };
    const content = await readFile(path);
    return { pem: content.toString(), fault: findFault(content) };
  } catch (error) {
    return { fault: (error as NodeJS.ErrnoException).code ?? 'unreadable' };
  }
}

/** Checks every certificate, because TLS skips a broken one without an error. */
function findFault(content: Buffer): string | undefined {
  const begin = '-----BEGIN CERTIFICATE-----';
  const [, ...blocks] = content.toString('latin1').split(begin);
  if (blocks.length === 0) return isCertificate(content) ? 'this is DER' : 'it contains none';
  const broken = blocks.findIndex((block) => !isCertificate(`${begin}${block}`));
  if (broken === -1) return undefined;
  if (blocks.length === 1) return 'it contains none';
  return `number ${broken + 1} of ${blocks.length} is broken`;
}

function isCertificate(content: Buffer | string): boolean {
  try {
    new X509Certificate(content);
    return true;
  } catch {
    return false;
  }
}
