import { createHash } from 'node:crypto';
import {
  chmod,
  lstat,
  mkdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCodeOf } from '../../db/sqlstate.js';
import type { Identity } from './identity.js';
import { messageOf, unavailable } from './unavailable.js';

/** The paths of one embedded server, all resolved. */
interface Place {
  readonly cluster: string;
  /** The directory for copied binaries. */
  readonly copiesDir: string;
  /** The account that runs the server; only as root. */
  readonly account: Account | undefined;
}

/** Options for `spawn`, which also clears the supplementary groups. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

// Only root can write here, and everyone can read. The server's account could not enter a directory
// below /root.
const rootsDir = '/var/lib/registry-stats';

// `_postgres` is the name on macOS. We never create accounts.
const usualAccounts = ['postgres', '_postgres', 'nobody'];

/**
 * Returns the path of the data directory, without creating it. As root, the name contains the
 * identity. So a data directory that was deleted, moved or copied starts again, because its new
 * identity does not know the old password.
 */
export async function clusterPath(dataDir: string, { id }: Identity): Promise<string> {
  const real = await realpath(dataDir);
  if (isRoot()) {
    return join(rootsDir, `${createHash('sha256').update(real).digest('hex').slice(0, 12)}-${id}`);
  }
  const link = join(real, 'postgres');
  return realpath(link).catch(() => link);
}

/**
 * Creates the directories. As root, the cluster is elsewhere and `<dataDir>/postgres` is a link to
 * it.
 */
export async function preparePlace(dataDir: string, identity: Identity): Promise<Place> {
  const real = await realpath(dataDir);
  const cluster = await clusterPath(real, identity);
  const usual = await unprivilegedAccount();
  if (usual === undefined) return { cluster, account: usual, copiesDir: join(real, 'runtime') };
  await prepareRootsDir();
  await linkTo(cluster, join(real, 'postgres'));
  const account = await ownerOf(cluster, usual);
  return { cluster, account, copiesDir: join(rootsDir, 'runtime') };
}

/**
 * Returns the account for the server, because PostgreSQL refuses to run as root. Returns undefined
 * for an ordinary user. initdb looks up its user by id, so the account must be in the passwd file.
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

/** Returns the owner of the data: PostgreSQL must run as that account. */
export async function ownerOf(cluster: string, usual: Account): Promise<Account> {
  const { uid, gid } = await stat(cluster).catch(() => usual);
  return { uid, gid };
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function prepareRootsDir(): Promise<void> {
  try {
    await mkdir(rootsDir, { recursive: true });
    const { uid, mode } = await lstat(rootsDir);
    if (uid !== 0 || (mode & 0o022) !== 0) throw new Error('others than root may write to it');
    await chmod(rootsDir, 0o755);
  } catch (error) {
    throw unavailable(
      `running as root, expected a directory ${rootsDir} of root's own, found: ${messageOf(error)}`,
      { hint: 'run as an ordinary user', cause: error },
    );
  }
}

async function linkTo(cluster: string, link: string): Promise<void> {
  if ((await readlink(link).catch(() => undefined)) === cluster) return;
  try {
    await rm(link, { force: true });
    await symlink(cluster, link);
  } catch (cause) {
    // A concurrent process creates the same link.
    if (errorCodeOf(cause) === 'EEXIST') return;
    throw unavailable(
      `running as root, expected ${link} to be a link, found the data of an ordinary user`,
      { hint: `run as that user, remove ${dirname(link)} to start again`, cause },
    );
  }
}
