import { createHash } from 'node:crypto';
import {
  lstat,
  mkdir,
  chmod,
  readdir,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRoot, unprivilegedAccount, type Account } from './account.js';
import type { Identity } from './identity.js';
import { isServed } from './postmaster.js';
import { codeOf, messageOf, unavailable } from './unavailable.js';

/** Where the parts of one embedded server live, all paths real. */
export interface Place {
  dataDir: string;
  /** PostgreSQL's data directory. */
  cluster: string;
  /** Where copies of the binaries go when they cannot run where npm put them. */
  runtimes: string;
  account: Account | undefined;
}

// Only root creates anything here, so nobody can have put a trap in our way; everyone may pass.
// A directory below /root would not do: the server's account could not enter it.
const rootsDir = '/var/lib/registry-stats';

/** Says where the data directory is, and creates nothing. */
export async function clusterPath(dataDir: string, identity: Identity): Promise<string> {
  const real = await realpath(dataDir);
  if (isRoot()) return join(rootsDir, `${prefixFor(real)}${identity.id}`);
  const link = join(real, 'postgres');
  return realpath(link).catch(() => link);
}

/**
 * Prepares the place. As root the cluster is elsewhere and `<dataDir>/postgres` a link to it.
 * The identity in its name makes a data directory that was deleted, moved or copied start afresh
 * instead of finding data under a password it does not know.
 */
export async function preparePlace(
  dataDir: string,
  identity: Identity,
  accounts: readonly string[] | undefined,
): Promise<Place> {
  const real = await realpath(dataDir);
  const cluster = await clusterPath(real, identity);
  const account = await unprivilegedAccount(accounts);
  if (account === undefined) {
    return { dataDir: real, cluster, account, runtimes: join(real, 'runtime') };
  }
  await prepareRootsDir();
  await linkTo(cluster, join(real, 'postgres'));
  await removeAbandoned(cluster, prefixFor(real));
  // PostgreSQL insists on running as the owner of its data, even if another account is usual now.
  const owner = await stat(cluster).catch(() => account);
  return {
    dataDir: real,
    cluster,
    account: { uid: owner.uid, gid: owner.gid },
    runtimes: join(rootsDir, 'runtime'),
  };
}

function prefixFor(dataDir: string): string {
  return `${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-`;
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
  const there = await lstat(link).catch(() => undefined);
  if (there?.isSymbolicLink() === true) {
    if ((await readlink(link)) === cluster) return;
    await rm(link, { force: true });
  } else if (there !== undefined) {
    throw unavailable(
      `running as root, expected ${link} to be a link, found the data of user id ${there.uid}`,
      { hint: `run as that user, remove ${dirname(link)} to start afresh` },
    );
  }
  await symlink(cluster, link).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

/** Clusters of the same data directory under an older identity: the developer deleted it. */
async function removeAbandoned(cluster: string, prefix: string): Promise<void> {
  for (const name of await readdir(rootsDir)) {
    const path = join(rootsDir, name);
    const isOlder = name.startsWith(prefix) && !name.startsWith(basename(cluster));
    if (isOlder && !(await isServed(path))) await rm(path, { recursive: true, force: true });
  }
}
