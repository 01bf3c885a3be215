import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, unavailable } from './unavailable.js';

/** What makes a data directory ours: `id` names the cluster, the password opens it. */
export interface Identity {
  id: string;
  user: string;
  password: string;
}

/**
 * Reads the identity of a data directory, or gives it one. It is written once, before anything
 * else, so all who start at the same time agree on the password without a lock.
 */
export async function establishIdentity(dataDir: string): Promise<Identity> {
  await mkdir(dataDir, { recursive: true }).catch((error: unknown) => {
    throw unavailable(
      `expected to be able to create the directory ${dataDir}, found: ${messageOf(error)}`,
      { hint: 'set DATA_DIR to one that may be written', cause: error },
    );
  });
  const known = await readIdentity(dataDir);
  if (known !== undefined) return known;

  const identity: Identity = {
    id: randomBytes(4).toString('hex'),
    user: 'registry',
    password: randomBytes(18).toString('base64url'),
  };
  const file = identityFile(dataDir);
  const draft = `${file}.${identity.id}`;
  await writeFile(draft, `${JSON.stringify(identity, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A hard link is complete when it appears and never replaces another's.
    await link(draft, file);
  } catch (error) {
    // Not every file system has hard links.
    if (codeOf(error) !== 'EEXIST') await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return (await readIdentity(dataDir)) ?? identity;
}

export async function readIdentity(dataDir: string): Promise<Identity | undefined> {
  const file = identityFile(dataDir);
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (isIdentity(value)) return value;
    throw new Error('id, user or password is missing');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unavailable(
      `expected to read the embedded server's password from ${file}, found: ${messageOf(error)}`,
      { hint: `run as the owner of ${dataDir}, remove it to start afresh`, cause: error },
    );
  }
}

function identityFile(dataDir: string): string {
  return join(dataDir, 'embedded.json');
}

function isIdentity(value: unknown): value is Identity {
  if (typeof value !== 'object' || value === null) return false;
  const { id, user, password } = value as Record<string, unknown>;
  // The id becomes part of a path that root removes.
  return typeof id === 'string' && /^[0-9a-f]{8}$/.test(id) && [user, password].every(isText);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
