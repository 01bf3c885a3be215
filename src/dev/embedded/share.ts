import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Identity } from './identity.js';
import { isServed, readPidFile, serverHost, stopServer, type Installation } from './server.js';

// An arbitrary number, in the database `postgres` of the embedded server.
const lockKey = 7_230_417;
const regainAttempts = 50;
const regainDelayMs = 100;

/** A connection of pg, with two methods that its types lack. */
type Session = Client & { ref(): void; unref(): void };

/**
 * A share in a running server: a session that holds an advisory lock, shared among all users of
 * the server. The last user is the one who can get the lock exclusively; the server drops the share
 * of a process that was killed.
 */
export class Share {
  #session: Session | undefined;
  #regaining: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** Throws if no server of this cluster responds, or if it is about to stop. */
  static async take(installation: Installation, identity: Identity): Promise<Share> {
    return new Share(installation, identity, await connectAndLock(installation, identity));
  }

  private constructor(
    private readonly installation: Installation,
    private readonly identity: Identity,
    session: Session,
    readonly port = session.port,
  ) {
    this.#hold(session);
  }

  /** Stops the server if nobody else has a share in it. Safe to call twice. */
  release(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    await this.#regaining;
    if (this.#session !== undefined && (await this.#stopIfLast(this.#session))) return;
    // The session is lost: the server was stopped, or it ended its sessions after a crash.
    const again = await connect(this.installation, this.identity).catch(() => undefined);
    if (again !== undefined) await this.#stopIfLast(again);
  }

  /** Returns false if the session broke, so that nothing is known. */
  async #stopIfLast(session: Session): Promise<boolean> {
    session.ref();
    try {
      const isLast = await isOnlyUser(session);
      // The lock is held until the server is gone: a newcomer who finds it taken tries again.
      if (isLast === true) await stopServer(this.installation);
      return isLast !== undefined;
    } finally {
      await close(session);
    }
  }

  /** An idle session must not keep this process alive, and is replaced if it ends. */
  #hold(session: Session): void {
    this.#session = session;
    session.unref();
    session.once('end', () => {
      this.#session = undefined;
      if (this.#released === undefined) this.#regaining = this.#regain();
    });
  }

  async #regain(): Promise<void> {
    for (let attempt = 0; attempt < regainAttempts; attempt += 1) {
      await delay(regainDelayMs, undefined, { ref: false });
      if (this.#released !== undefined) return;
      const retaken = connectAndLock(this.installation, this.identity);
      const session = await retaken.catch(() => undefined);
      if (session === undefined) continue;
      this.#hold(session);
      return;
    }
  }
}

async function connectAndLock(installation: Installation, identity: Identity): Promise<Session> {
  const session = await connect(installation, identity);
  try {
    // Never waits: the process that holds the lock alone is about to stop the server.
    if (await tryLock(session, 'pg_try_advisory_lock_shared')) return session;
    throw new Error('the server is about to be stopped');
  } catch (error) {
    await close(session);
    throw error;
  }
}

async function connect({ cluster }: Installation, { user, password }: Identity): Promise<Session> {
  const { port } = readPidFile(cluster) ?? {};
  // The pid file of a copied cluster names the server of the original, which has the same password.
  if (port === undefined || !(await isServed(cluster))) throw new Error('no server');
  const session = new Client({
    host: serverHost,
    port,
    user,
    password,
    database: 'postgres',
    ssl: false,
    application_name: 'registry-stats embedded',
    connectionTimeoutMillis: 5_000,
    options: '-c idle_session_timeout=0',
  }) as Session;
  // Without a listener a terminated session would end this process.
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

/** Gives up the share and tries to be the only user. Returns undefined if the session broke. */
async function isOnlyUser(session: Session): Promise<boolean | undefined> {
  try {
    await session.query('select pg_advisory_unlock_all()');
    return await tryLock(session, 'pg_try_advisory_lock');
  } catch {
    return undefined;
  }
}

async function tryLock(session: Session, lock: string): Promise<boolean> {
  const { rows } = await session.query<{ locked: boolean }>(`select ${lock}($1) as locked`, [
    lockKey,
  ]);
  return rows[0]?.locked === true;
}

async function close(session: Session): Promise<void> {
  await session.end().catch(() => undefined);
}
