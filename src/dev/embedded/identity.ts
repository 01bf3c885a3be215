import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCodeOf } from '../../db/sqlstate.js';
import { messageOf, unavailable } from './unavailable.js';

/** The contents of embedded.json: the cluster's `id`, user and password. */
export interface Identity {
  readonly id: string;
  readonly user: string;
  readonly password: string;
}

/**
 * Reads or creates the identity of a data directory. It is written once, before anything else, so
 * concurrent starts agree on the password without a lock.
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

  const id = randomBytes(4).toString('hex');
  const identity = { id, user: 'registry', password: randomBytes(18).toString('base64url') };
  const file = join(dataDir, 'embedded.json');
  const draft = `${file}.${id}`;
  await writeFile(draft, `${JSON.stringify(identity, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
  try {
    // A hard link appears complete and never replaces a file.
    await link(draft, file);
  } catch (error) {
    // Some file systems have no hard links.
    if (errorCodeOf(error) !== 'EEXIST') await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
  return (await readIdentity(dataDir)) ?? identity;
}

/** Returns undefined if the data directory has no identity or does not exist. */
export async function readIdentity(dataDir: string): Promise<Identity | undefined> {
  const file = join(dataDir, 'embedded.json');
  try {
    return parseIdentity(await readFile(file, 'utf8'));
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw unavailable(
      `expected to read the embedded server's password from ${file}, found: ${messageOf(error)}`,
      { hint: `run as the owner of ${dataDir}, remove it to start afresh`, cause: error },
    );
  }
}

function parseIdentity(text: string): Identity {
  const { id, user, password } = JSON.parse(text) as Record<string, unknown>;
  // root removes a path that contains the id.
  if (/^[0-9a-f]{8}$/.test(String(id)) && isText(id) && isText(user) && isText(password)) {
    return { id, user, password };
  }
  throw new Error('id, user or password is missing');
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
