import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Identity } from './identity.js';
import type { Place } from './place.js';
import { executable, type Runtime } from './runtime.js';
import { serverEnvironment } from './server-environment.js';
import { codeOf, messageOf, unavailable } from './unavailable.js';

// An initdb that was killed leaves its draft behind; none takes this long.
const abandonedMs = 10 * 60_000;

/** The major version a cluster was made by; undefined if there is none. */
export async function clusterMajor(cluster: string): Promise<string | undefined> {
  try {
    return (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Initialises the data directory. It is made beside its place and moved there when complete, so
 * neither an interruption nor a second starter can leave half of one. False if another was faster.
 */
export async function createCluster(
  place: Place,
  identity: Identity,
  runtime: Runtime,
  options: { isDurable: boolean; signal: AbortSignal | undefined },
): Promise<boolean> {
  await removeOldDrafts(place.cluster);
  const draft = `${place.cluster}.new-${randomBytes(4).toString('hex')}`;
  const data = join(draft, 'data');
  const passwordFile = join(draft, 'password');
  try {
    await mkdir(draft, { mode: 0o700 });
    await writeFile(passwordFile, `${identity.password}\n`, { mode: 0o600, flag: 'wx' });
    if (place.account !== undefined) {
      await chown(passwordFile, place.account.uid, place.account.gid);
      await chown(draft, place.account.uid, place.account.gid);
    }
    await initdb(
      draft,
      place,
      runtime,
      [
        `--pgdata=${data}`,
        `--username=${identity.user}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--data-checksums',
        '--no-instructions',
        ...(options.isDurable ? [] : ['--no-sync']),
      ],
      options.signal,
    );
    await rename(data, place.cluster);
    return true;
  } catch (error) {
    options.signal?.throwIfAborted();
    if ((await clusterMajor(place.cluster)) !== undefined) return false;
    throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function initdb(
  cwd: string,
  place: Place,
  runtime: Runtime,
  args: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const child = spawn(executable(runtime, 'initdb'), args, {
    ...place.account,
    cwd,
    env: serverEnvironment(cwd),
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal && { signal }),
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  const [[code, killedBy], complaint] = await Promise.all([closed, text(child.stderr)]).catch(
    (error: unknown) => {
      throw unavailable(`expected initdb to run, found: ${messageOf(error)}`, { cause: error });
    },
  );
  if (code !== 0) {
    throw unavailable(
      `expected initdb to end with 0, found ${code ?? killedBy ?? 'nothing'}: ${complaint.trim()}`,
    );
  }
}

async function removeOldDrafts(cluster: string): Promise<void> {
  const parent = dirname(cluster);
  for (const name of await readdir(parent)) {
    if (!name.startsWith(`${basename(cluster)}.new-`)) continue;
    const path = join(parent, name);
    const made = await stat(path).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > abandonedMs) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
