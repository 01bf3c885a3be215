import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { Database } from '../src/db/database.js';
import { acquireEmbeddedServer } from '../src/dev/embedded/index.js';

/** The server that is measured. */
interface BenchServer {
  readonly address: Address;
  readonly release: () => Promise<void>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** As on a small server of its own: durable commits, memory for the tables' hot part. */
const serverSettings = {
  shared_buffers: '1GB',
  fsync: 'on',
  synchronous_commit: 'on',
  work_mem: '16MB',
  maintenance_work_mem: '256MB',
  effective_cache_size: '4GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
} as const;

export async function startServer(url: string | undefined): Promise<BenchServer> {
  if (url !== undefined) {
    const { hostname: host, port, username, password } = new URL(url);
    const address = {
      host,
      port: port === '' ? 5432 : Number(port),
      user: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
    return { address, release: () => Promise.resolve() };
  }
  const dataDir = path.resolve('.data/bench');
  await mkdir(dataDir, { recursive: true });
  const embedded = await acquireEmbeddedServer({ dataDir, settings: serverSettings });
  const { host, port, user, password } = embedded;
  return { address: { host, port, user, password }, release: () => embedded.release() };
}

/** One session, as Registry's callers have. The caller ends it. */
export async function connect(address: Address, database: string): Promise<pg.Client> {
  const client = new pg.Client({ ...address, database });
  await client.connect();
  return client;
}

/** The pool with which the daemon works. The caller closes it. */
export function openPool(address: Address, name: string): Database {
  const connection = { ...address, name, ssl: false, connectTimeoutMs: 10_000 };
  return new Database(
    { connection, poolSize: 4, isMaintenance: false, logSql: false },
    pino({ level: 'silent' }),
  );
}

export async function administer(address: Address, statement: string): Promise<void> {
  const client = await connect(address, 'postgres');
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
