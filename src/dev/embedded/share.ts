import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Identity } from './identity.js';
import { isServed, readPidFile, serverHost, stopServer, type Installation } from './server.js';

// An arbitrary advisory lock key, in the server's database `postgres`.
const lockKey = 7_230_417;
const regainAttempts = 50;
const regainDelayMs = 100;

/** pg's connection with two methods that its types lack. */
type Session = Client & { ref(): void; unref(): void };

/**
 * A session with a shared advisory lock, which marks a user of the server. Only the last user can
 * get the lock exclusively. The server drops the lock of a killed process.
 */
export class Share {
  #session: Session | undefined;
  #regaining: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** Connects and takes the lock. Throws if no server responds or if it is about to stop. */
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

  /** Stops the server if it has no other user. Safe to call twice. */
  release(): Promise<void> {
    return (this.#released ??= this.#release());
  }

  async #release(): Promise<void> {
    await this.#regaining;
    if (this.#session !== undefined && (await this.#stopIfLast(this.#session))) return;
    // The session is lost: the server stopped, or it ended its sessions after a crash.
    const again = await connect(this.installation, this.identity).catch(() => undefined);
    if (again !== undefined) await this.#stopIfLast(again);
  }

  /** Returns false if the session broke, so the state is unknown. */
  async #stopIfLast(session: Session): Promise<boolean> {
    session.ref();
    try {
      const isLast = await isOnlyUser(session);
      // Holds the lock until the server has stopped; a new user then retries.
      if (isLast === true) await stopServer(this.installation);
      return isLast !== undefined;
    } finally {
      await close(session);
    }
  }

  /** Keeps an idle session, which does not keep this process alive. Replaces it when it ends. */
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
    // Does not wait: the holder of the exclusive lock is about to stop the server.
    if (await tryLock(session, 'pg_try_advisory_lock_shared')) return session;
    throw new Error('the server is about to be stopped');
  } catch (error) {
    await close(session);
    throw error;
  }
}

async function connect({ cluster }: Installation, { user, password }: Identity): Promise<Session> {
  const { port } = readPidFile(cluster) ?? {};
  // The pid file of a copied cluster names the original's server, with the same password.
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
  // Without a listener, the end of a session would end this process.
  session.on('error', () => undefined);
  await session.connect();
  return session;
}

/**
 * Returns whether this is the only user, after releasing the share. Returns undefined if the
 * session broke.
 */
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
