import { readFile } from 'node:fs/promises';
import { unavailable } from './unavailable.js';

/** Whom the server runs as. Spread into `spawn`, which clears the supplementary groups itself. */
export interface Account {
  uid: number;
  gid: number;
}

// `_postgres` is what macOS calls it. No account is ever created on a developer's machine.
const usualAccounts = ['postgres', '_postgres', 'nobody'];

/**
 * The account for the server: PostgreSQL refuses to run as root.
 * Undefined for an ordinary user, who runs it as himself.
 * initdb looks its user up by id, so only an account listed in the passwd file will do.
 */
export async function unprivilegedAccount(
  names: readonly string[] = usualAccounts,
  passwdFile = '/etc/passwd',
): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const lines = (await readFile(passwdFile, 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of names) {
    const line = lines.find(([account]) => account === name);
    const uid = Number(line?.[2]);
    const gid = Number(line?.[3]);
    if (uid > 0 && gid > 0) return { uid, gid };
  }
  throw unavailable(
    `PostgreSQL refuses to run as root: expected an account named ${names.join(' or ')} in ` +
      `${passwdFile}, found none`,
    { hint: 'run as an ordinary user' },
  );
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
