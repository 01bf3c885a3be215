import { chown, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { acquireEmbeddedServer } from '../../src/dev/embedded/index.js';
import { migrate } from '../../src/schema/migrate.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import type { Certificate } from './certificates.js';
import { removeEmbeddedServer } from './remove-embedded-server.js';
import { openTestDatabase } from './server.js';
import { migrateQuietly } from './migrate-options.js';

/** A PostgreSQL of a test, with a replaceable certificate. */
export interface TlsPostgres {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** An administrator's connection to the database `postgres`, without TLS. */
  readonly admin: pg.Client;
  /** Uses another certificate for new connections. */
  present(certificate: Certificate): Promise<void>;
  /** Changes server settings for new connections. */
  configure(settings: Readonly<Record<string, string>>): Promise<void>;
  /** Puts a line first in pg_hba.conf, instead of the last such line. */
  admit(line: string): Promise<void>;
  /** Migrates the database `postgres`. */
  migrate(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server without TLS; `present` turns it on. */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const dataDir = await realpath(await mkdtemp(path.join(tmpdir(), 'registry-stats-tls-')));
  const server = await acquireEmbeddedServer({
    dataDir,
    settings: { fsync: 'off', shared_buffers: '32MB' },
  });
  const { host, port, user, password } = server;
  const admin = new pg.Client({ host, port, user, password, database: 'postgres', ssl: false });
  await admin.connect();
  const cluster = await realpath(path.join(dataDir, 'postgres'));

  const hba = path.join(cluster, 'pg_hba.conf');
  const hbaLines = await readFile(hba, 'utf8');

  const configure = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, value] of Object.entries(settings)) {
      await admin.query(`alter system set ${name} = ${pg.escapeLiteral(value)}`);
    }
    const { rows } = await admin.query<{ at: Date }>('select pg_conf_load_time() as at');
    await admin.query('select pg_reload_conf()');
    await untilReloaded(admin, rows[0]?.at);
  };
  return {
    host,
    port,
    user,
    password,
    admin,
    configure,
    present: async ({ cert, key }) => {
      const { uid, gid } = await stat(cluster);
      for (const [name, text] of [['server.crt', cert] as const, ['server.key', key] as const]) {
        const file = path.join(cluster, name);
        await writeFile(file, text, { mode: 0o600 });
        await chown(file, uid, gid);
      }
      await configure({ ssl: 'on' });
    },
    admit: async (line) => {
      await writeFile(hba, `${line}\n${hbaLines}`);
      await configure({});
    },
    migrate: async () => {
      const database = openTestDatabase({ host, port, user, password }, 'postgres');
      await migrate(database, {
        files: await readSqlFiles(),
        ...migrateQuietly,
      });
      await database.close();
    },
    stop: async () => {
      await admin.end();
      await server.release();
      await removeEmbeddedServer(dataDir);
    },
  };
}

/** Waits for a reload: the postmaster has read its settings when its backends have. */
async function untilReloaded(admin: pg.Client, before: Date | undefined): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ at: Date }>('select pg_conf_load_time() as at');
    if (rows[0]?.at.getTime() !== before?.getTime()) return;
  }
}
