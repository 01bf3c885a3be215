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

/** A PostgreSQL of the current test's own, which it may stop. */
export interface OwnServer {
  /** A migrated database with the fixtures in it. It outlives a stop, its sessions do not. */
  readonly target: TestDatabase;
  /** The cluster's directory. */
  readonly cluster: string;
  /** As `pg_ctl stop`, without waiting for clients; `immediate` leaves a recovery to the start. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
  /** With the command line that it had, hence on the same port; returns when it answers. */
  start(): Promise<void>;
}

const stopSignals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Starts a server and removes it with the test. Databases of other servers know nothing of it. */
export async function startOwnServer(
  settings: Readonly<Record<string, string>> = {},
): Promise<OwnServer> {
  const dataDir = path.join(await temporaryDirectory(), 'data');
  onTestFinished(() => removeEmbeddedServer(dataDir));
  // What was committed must be there after a stop, which developers do not ask for.
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
      await eventually('an answer', () =>
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
    allowLaunchSchema: true,
    lockTimeoutMs: 5_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await loadCsv(database);
  return {
    name,
    database,
    ...shortSessions({ ...address, database: name }),
    env: environmentOf(address, name),
  };
}

/** The server keeps its command line in the cluster; root may not run it, its owner does. */
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
