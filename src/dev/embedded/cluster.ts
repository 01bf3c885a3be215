import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chown,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { readIdentity, type Identity } from './identity.js';
import { ownerOf } from './place.js';
import { isServed, runProgram, type Installation } from './server.js';
import { Share } from './share.js';
import { messageOf, unavailable } from './unavailable.js';

// An initdb that was killed leaves its draft. No initdb takes this long.
const initdbLimitMs = 10 * 60_000;

/** Returns the major version of a cluster; undefined if there is none. */
export async function clusterMajor(cluster: string): Promise<string | undefined> {
  const version = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined);
  return version?.trim();
}

/**
 * Initialises the cluster next to its final path, then renames it. So an interruption or a
 * concurrent start leaves no partial cluster. Returns false if another process was first.
 */
export async function createCluster(
  installation: Installation,
  { user, password }: Identity,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { cluster, account } = installation;
  await removeOldDrafts(cluster);
  const draft = `${cluster}.new-${randomBytes(4).toString('hex')}`;
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
    if (account !== undefined) {
      await chown(passwordFile, account.uid, account.gid);
      await chown(draft, account.uid, account.gid);
    }
    const paths = [`--pgdata=${data}`, `--username=${user}`, `--pwfile=${passwordFile}`];
    const format = ['--encoding=UTF8', '--locale=C', '--data-checksums'];
    const args = [...paths, ...format, '--auth=scram-sha-256', '--no-instructions'];
    await runProgram(installation, draft, 'initdb', args, signal);
    await rename(data, cluster);
    return true;
  } catch (cause) {
    signal?.throwIfAborted();
    if ((await clusterMajor(cluster)) !== undefined) return false;
    throw unavailable(`expected initdb to create ${cluster}, found: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Records the data directory of a cluster, for `removeAbandonedClusters`. */
export async function recordOrigin(
  cluster: string,
  dataDir: string,
  identity: Identity,
): Promise<void> {
  const text = JSON.stringify({ ...identity, dataDir: await realpath(dataDir) }, null, 2);
  await writeFile(`${cluster}.json`, `${text}\n`, { mode: 0o600 });
}

/**
 * Removes clusters whose data directory is gone or has a new identity. As root, a cluster is
 * outside its data directory and would remain. Stops a server without users. Skips one in use.
 */
export async function removeAbandonedClusters(
  installation: Installation,
  onProgress: (message: string) => void,
): Promise<void> {
  const folder = dirname(installation.cluster);
  const names = await readdir(folder);
  for (const record of names.filter((name) => name.endsWith('.json'))) {
    const origin = await readRecord(join(folder, record));
    if (origin === undefined || !(await isGone(origin))) continue;
    const name = basename(record, '.json');
    const cluster = join(folder, name);
    const account = installation.account && (await ownerOf(cluster, installation.account));
    const share = await Share.take({ ...installation, cluster, account }, origin).catch(() => null);
    await share?.release();
    if (await isServed(cluster)) continue;
    const size = await diskUse(cluster);
    // The record goes last, so that a later start can finish the removal.
    const others = names.filter((other) => other.startsWith(name) && other !== record);
    for (const path of [...others, record].map((left) => join(folder, left))) {
      await rm(path, { recursive: true, force: true });
    }
    onProgress(`removed the data of ${origin.dataDir}, which is gone (${size})`);
  }
}

/** Returns the size of a directory, such as `39 MiB`. */
export async function diskUse(directory: string): Promise<string> {
  const du = promisify(execFile)('du', ['-sk', directory]);
  const { stdout } = await du.catch(() => ({ stdout: '' }));
  const mebibytes = Math.ceil(parseInt(stdout, 10) / 1024);
  return Number.isNaN(mebibytes) ? 'of unknown size' : `${mebibytes} MiB`;
}

type Origin = Identity & { readonly dataDir: string };

/** Reads a record. Only root writes these. Ignores unreadable ones. */
async function readRecord(file: string): Promise<Origin | undefined> {
  const read = readFile(file, 'utf8').then((text) => JSON.parse(text) as Origin);
  return read.catch(() => undefined);
}

async function isGone({ dataDir, id }: Origin): Promise<boolean> {
  // An unreadable identity still exists.
  const current = await readIdentity(dataDir).catch(() => ({ id }));
  return current?.id !== id;
}

async function removeOldDrafts(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(cluster)}.new-`)) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs > initdbLimitMs) await rm(path, { recursive: true, force: true });
  }
}
