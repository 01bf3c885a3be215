import { spawn } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { ensureDatabase } from '../../../src/db/ensure-database.js';
import { acquireEmbeddedServer } from '../../../src/dev/embedded/index.js';
import { migrate } from '../../../src/schema/migrate.js';
import { readSqlFiles } from '../../../src/schema/sql-files.js';
import { loadCsv } from '../../support/load-csv.js';
import { temporaryDirectory } from '../../support/program.js';
import { removeEmbeddedServer } from '../../support/remove-embedded-server.js';
import { openTestDatabase, type TestServer } from '../../support/server.js';
import { eventually } from '../../support/slow-job.js';
import { environmentOf, type TestDatabase } from '../../support/test-database.js';
import { shortSessions } from './short-sessions.js';
import { migrateQuietly } from '../../support/migrate-options.js';

/** A PostgreSQL for the current test, which may stop it. */
export interface OwnServer {
  /** A migrated database with fixtures. A stop ends its sessions. */
  readonly target: TestDatabase;
  /** The cluster's directory. */
  readonly cluster: string;
  /**
   * Stops like `pg_ctl stop`, without waiting for clients. After `immediate` the start recovers.
   */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** Starts with the same command line, so on the same port. Resolves when it responds. */
  start(): Promise<void>;
}

const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Starts a server and removes it with the test. */
export async function startOwnServer(
  settings: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const dataDir = path.join(await temporaryDirectory(), 'data');
  onTestFinished(() => removeEmbeddedServer(dataDir));
  // Durable commits, which the server of developers turns off.
  const ours = { fsync: 'off', synchronous_commit: 'on', shared_buffers: '16MB' };
  const { host, port, user, password } = await acquireEmbeddedServer({
    dataDir,
    settings: { ...ours, ...settings },
  });
  const address = { host, port, user, password };
  const cluster = await realpath(path.join(dataDir, 'postgres'));
  const target = await databaseOn(address);
  const postmaster = async (): Promise<number> =>
    Number((await readFile(path.join(cluster, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  return {
    target,
    cluster,
    stop: async (mode) => {
      const pid = await postmaster();
      process.kill(pid, stopSignals[mode]);
      await eventually('the end of the server', () => !isRunning(pid));
    },
    start: async () => {
      await startAgain(cluster);
      await eventually('a response', () =>
        target.query('select').then(
          () => true,
          () => false,
        ),
      );
    },
  };
}

async function databaseOn(address: Omit<TestServer, 'prefix'>): Promise<TestDatabase> {
  const name = 'faults';
  await ensureDatabase(address, name);
  const database = openTestDatabase(address, name);
  onTestFinished(() => database.close());
  await migrate(database, {
    files: await readSqlFiles(),
    ...migrateQuietly,
  });
  await loadCsv(database);
  return {
    name,
    database,
    ...shortSessions({ ...address, database: name }),
    env: environmentOf(address, name),
  };
}

/** Starts the server from its recorded command line, as the owner of the cluster: root may not. */
async function startAgain(cluster: string): Promise<void> {
  const commandLine = await readFile(path.join(cluster, 'postmaster.opts'), 'utf8');
  const { uid, gid } = await stat(cluster);
  const account = process.getuid?.() === 0 ? { uid, gid } : {};
  spawn('sh', ['-c', `exec ${commandLine}`], {
    ...account,
    cwd: cluster,
    detached: true,
    stdio: 'ignore',
  }).unref();
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
