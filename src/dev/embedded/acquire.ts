import { setTimeout as delay } from 'node:timers/promises';
import { establishIdentity, readIdentity, type Identity } from './identity.js';
import { serverHost } from './launch.js';
import { isRefusal } from './lock-connection.js';
import { clusterPath } from './place.js';
import { isServed, removeStalePidFile } from './postmaster.js';
import { Share } from './share.js';
import { Starter } from './starter.js';
import type { EmbeddedOptions, EmbeddedServer } from './types.js';
import { messageOf, unavailable } from './unavailable.js';

const timeoutMs = 60_000;
const pollMs = 50;

/** Adopts the server of this data directory, or starts it, initialising it first if need be. */
export async function acquireEmbeddedServer(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { dataDir, signal } = options;
  const identity = await establishIdentity(dataDir);
  const cluster = await clusterPath(dataDir, identity);
  const starter = new Starter(identity, options);
  const share = await shareWhenServed(cluster, identity, signal, async () => {
    await removeStalePidFile(cluster);
    await starter.advance();
    return true;
  }).catch((error: unknown) => {
    // Not after the timeout: a long recovery goes on, and the next call finds its result.
    const isOurChoice = signal?.aborted === true;
    if (isOurChoice || (error instanceof Error && isRefusal(error.cause))) starter.abandon();
    throw error;
  });
  if (share === undefined)
    throw new Error('unreachable: a starter never gives up without an error');
  return describe(identity, share, starter.isNew, !starter.hasStarted(share.pid));
}

/** The running server of this data directory, waiting for one that comes up; else undefined. */
export async function findEmbeddedServer(
  dataDir: string,
  signal?: AbortSignal,
): Promise<EmbeddedServer | undefined> {
  const identity = await readIdentity(dataDir);
  if (identity === undefined) return undefined;
  const cluster = await clusterPath(dataDir, identity);
  const share = await shareWhenServed(cluster, identity, signal, () => Promise.resolve(false));
  return share && describe(identity, share, false, true);
}

/**
 * Tries until the server answers. While no process serves the cluster it asks `onNobody`, which
 * may start one and returns whether to go on; the time that takes does not count.
 */
async function shareWhenServed(
  cluster: string,
  identity: Identity,
  signal: AbortSignal | undefined,
  onNobody: () => Promise<boolean>,
): Promise<Share | undefined> {
  let deadline = Date.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const attempt = await Share.take(cluster, identity);
    if (attempt instanceof Share) return attempt;
    const { cause } = attempt;
    if (await isServed(cluster)) {
      if (isRefusal(cause)) throw refused(cluster, cause);
    } else {
      const before = Date.now();
      if (!(await onNobody())) return undefined;
      deadline += Date.now() - before;
    }
    if (Date.now() > deadline) throw tooSlow(cluster, cause);
    await delay(pollMs, undefined, signal && { signal });
  }
}

function describe(
  identity: Identity,
  share: Share,
  isNew: boolean,
  wasRunning: boolean,
): EmbeddedServer {
  return {
    host: serverHost,
    port: share.port,
    user: identity.user,
    password: identity.password,
    isNew,
    wasRunning,
    release: () => share.release(),
  };
}

function refused(cluster: string, cause: unknown) {
  return unavailable(
    `expected the server of ${cluster} to accept the password in embedded.json, ` +
      `found: ${messageOf(cause)}`,
    { hint: 'remove both to start afresh', cause },
  );
}

function tooSlow(cluster: string, cause: unknown) {
  const found = cause === undefined ? 'no answer' : messageOf(cause);
  return unavailable(
    `expected the server of ${cluster} to answer within ${timeoutMs / 1000} s, found: ${found}`,
    { hint: 'try again if it is recovering (see postgres.log)', cause },
  );
}
