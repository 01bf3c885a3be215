import { spawn } from 'node:child_process';
import { appendFile, cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from '../../support/slow-job.js';
import type { TestDatabase } from '../../support/test-database.js';
import type { OwnServer } from './own-server.js';
import { shortSessions } from './short-sessions.js';

/** A hot standby of a test's server; the primary after its promotion. */
interface Standby {
  readonly port: number;
  /** The same database on this server. */
  readonly target: TestDatabase;
  /** Waits until the standby has everything committed. */
  caughtUp(): Promise<void>;
  promote(): Promise<void>;
}

/** Copies the cluster while its server is down, so a plain copy is enough. */
export async function startStandby({ cluster, target, ...server }: OwnServer): Promise<Standby> {
  const copy = `${cluster}-standby`;
  await server.stop('fast');
  await cp(cluster, copy, { recursive: true, preserveTimestamps: true });
  await server.start();
  const { uid, gid } = await stat(cluster);
  const primary = Number(target.env['DB_PORT']);
  const port = await ownedBy({ uid, gid }, copy, primary, target);
  const here = databaseAt(target, port);
  await eventually('a response of the standby', () =>
    here.query('select').then(
      () => true,
      () => false,
    ),
  );
  return {
    port,
    target: here,
    caughtUp: async () => {
      const [sent] = await target.query<{ at: string }>('select pg_current_wal_lsn() as at');
      await eventually('the standby to catch up', async () => {
        const [row] = await here.query<{ is: boolean }>(
          'select pg_last_wal_replay_lsn() >= $1::pg_lsn as is',
          [sent?.at],
        );
        return row?.is === true;
      });
    },
    promote: async () => {
      await here.query('select pg_promote()');
    },
  };
}

/** Starts the copy with the primary's command line on another port. */
async function ownedBy(
  account: { uid: number; gid: number },
  copy: string,
  primary: number,
  { env }: TestDatabase,
): Promise<number> {
  const port = primary === 65_535 ? primary - 1 : primary + 1;
  const commandLine = await readFile(path.join(copy, 'postmaster.opts'), 'utf8');
  await writeFile(path.join(copy, 'standby.signal'), '');
  await appendFile(
    path.join(copy, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${env['DB_HOST']} port=${primary} user=${env['DB_USER']} ` +
      `password=${env['DB_PASSWORD']}'\n`,
  );
  const isRoot = process.getuid?.() === 0;
  const moved = commandLine
    .replace(copy.replace(/-standby$/, ''), copy)
    .replace(`port=${primary}`, `port=${port}`);
  if (isRoot) await giveTo(account, copy);
  const child = spawn('sh', ['-c', `exec ${moved}`], {
    ...(isRoot ? account : {}),
    cwd: copy,
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    if (child.exitCode === null && child.kill('SIGQUIT')) await ended;
    await rm(copy, { recursive: true, force: true });
  });
  return port;
}

function giveTo({ uid, gid }: { uid: number; gid: number }, folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn('chown', ['-R', `${uid}:${gid}`, folder], { stdio: 'ignore' }).on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`expected chown to end with 0, found ${code}`));
    });
  });
}

function databaseAt(target: TestDatabase, port: number): TestDatabase {
  const { env } = target;
  return {
    ...target,
    env: { ...env, DB_PORT: String(port) },
    ...shortSessions({
      host: env['DB_HOST'],
      port,
      user: env['DB_USER'],
      password: env['DB_PASSWORD'],
      database: target.name,
    }),
  };
}
