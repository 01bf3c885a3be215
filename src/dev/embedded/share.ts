import { setTimeout as delay } from 'node:timers/promises';
import type { Identity } from './identity.js';
import { connectToCluster, type LockConnection, type NoAnswer } from './lock-connection.js';
import { stopPostmaster } from './postmaster.js';

// An arbitrary number of ours, in the database `postgres` of a server of ours.
const lockKey = 7_230_417;
const regainAttempts = 50;
const regainDelayMs = 100;

/**
 * A share in a running server: a session that holds an advisory lock, shared among all users of
 * the server. The last user is the one who can get the lock for himself; the server drops the
 * share of a process that was killed.
 */
export class Share {
  #released: Promise<void> | undefined;
  #regaining: Promise<void> | undefined;

  private constructor(
    private readonly cluster: string,
    private readonly identity: Identity,
    private connection: LockConnection,
  ) {
    this.#hold(connection);
  }

  static async take(cluster: string, identity: Identity): Promise<Share | NoAnswer> {
    const connection = await connectAndLock(cluster, identity);
    return connection.client === undefined ? connection : new Share(cluster, identity, connection);
  }

  get port(): number {
    return this.connection.port;
  }

  get pid(): number {
    return this.connection.pid;
  }

  release(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    await this.#regaining;
    if (!this.connection.isLost() && (await this.#stopIfLast(this.connection))) return;
    // The session is lost: the server was stopped, or it restarted its sessions after a crash.
    const again = await connectToCluster(this.cluster, this.identity);
    if (again.client !== undefined) await this.#stopIfLast(again);
  }

  /** False if the session broke, so that nothing is known. */
  async #stopIfLast(connection: LockConnection): Promise<boolean> {
    connection.socket.ref();
    let isLast: boolean;
    try {
      await connection.client.query('select pg_advisory_unlock_all()');
      isLast = await tryLock(connection, 'pg_try_advisory_lock');
    } catch {
      await connection.close();
      return false;
    }
    try {
      // The lock is held until the server is gone: a newcomer who sees it taken tries again.
      if (isLast) await stopPostmaster(this.cluster);
    } finally {
      await connection.close();
    }
    return true;
  }

  /** An idle session must not keep this process alive, and is replaced if it ends. */
  #hold(connection: LockConnection): void {
    this.connection = connection;
    connection.socket.unref();
    const replace = () => (this.#regaining ??= this.#regain());
    connection.client.once('end', () => {
      if (!this.#isReleased()) void replace();
    });
    if (connection.isLost()) void replace();
  }

  async #regain(): Promise<void> {
    for (let attempt = 0; attempt < regainAttempts && !this.#isReleased(); attempt += 1) {
      await delay(regainDelayMs, undefined, { ref: false });
      const connection = await connectAndLock(this.cluster, this.identity).catch(() => undefined);
      if (connection?.client === undefined) continue;
      this.#regaining = undefined;
      this.#hold(connection);
      return;
    }
    this.#regaining = undefined;
  }

  #isReleased(): boolean {
    return this.#released !== undefined;
  }
}

async function connectAndLock(
  cluster: string,
  identity: Identity,
): Promise<LockConnection | NoAnswer> {
  const connection = await connectToCluster(cluster, identity);
  if (connection.client === undefined) return connection;
  try {
    // Never waits: who holds the lock alone is about to stop the server.
    if (await tryLock(connection, 'pg_try_advisory_lock_shared')) return connection;
    await connection.close();
    return { client: undefined, cause: new Error('the server is about to be stopped') };
  } catch (cause) {
    await connection.close();
    return { client: undefined, cause };
  }
}

async function tryLock(
  connection: LockConnection,
  lock: 'pg_try_advisory_lock' | 'pg_try_advisory_lock_shared',
): Promise<boolean> {
  const { rows } = await connection.client.query<{ locked: boolean }>(
    `select ${lock}($1) as locked`,
    [lockKey],
  );
  return rows[0]?.locked === true;
}
