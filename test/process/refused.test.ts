import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createLogin, type Login } from '../support/owned-database.js';
import { startDaemon, temporaryDirectory, type Program } from '../support/program.js';
import { databaseWithRows, messages, noSchedule, untilRuns } from '../support/runs.js';
import { replaceUpdateCounts } from '../support/slow-job.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';

const down = 'runs wait until it is back';
const back = 'the database is back after';
const refreshed = ['refreshed', 'refreshed', 'skipped'];

/** Opens an administrator's session on another database, to close, rename or empty the first. */
async function administrator(): Promise<pg.Client> {
  const client = new pg.Client({ ...inject('server'), database: 'postgres' });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

async function endSessions(admin: pg.Client, { name }: TestDatabase): Promise<void> {
  await admin.query(
    'select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1',
    [name],
  );
}

/** Ends the daemon's sessions, so its next run needs a new connection. */
async function endDaemonSessions(
  { query }: { query: (text: string, values: string[]) => Promise<unknown> },
  { name }: TestDatabase,
): Promise<void> {
  await query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = $1 and application_name = 'registry-stats'`,
    [name],
  );
}

/** Starts a daemon whose password is in a file that the test may change. */
async function daemonOf(
  login: Login,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ daemon: Program; setPassword: (password: string) => Promise<void> }> {
  const cwd = await temporaryDirectory();
  const { DB_PASSWORD: password = '', ...env } = login.env;
  const setPassword = (changed: string): Promise<void> =>
    writeFile(path.join(cwd, '.env.test'), `DB_PASSWORD="${changed}"\n`);
  await setPassword(password);
  const daemon = await startDaemon({
    env: { ...env, ...noSchedule, RETRY_ATTEMPTS: '1', LOG_LEVEL: 'debug', ...settings },
    cwd,
  });
  return { daemon, setPassword };
}

/** Requests a refresh by signal, and expects an outage that is logged once. */
async function runIntoOutage(daemon: Program, refusal: string): Promise<void> {
  daemon.kill('SIGUSR2');
  await daemon.untilLine(down);
  const runs = await untilRuns(daemon, 'signal');
  expect(runs.map(([, outcome]) => outcome)).toEqual(['failed', 'skipped', 'skipped']);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal', 2);
  expect(messages(daemon, 'error')).toEqual([expect.stringContaining(refusal)]);
}

async function expectRecovery(daemon: Program): Promise<void> {
  await daemon.untilLine(back);
  const runs = await untilRuns(daemon, 'recovery');
  expect(runs.map(([, outcome]) => outcome)).toEqual(refreshed);
  expect(messages(daemon, 'error')).toHaveLength(1);
}

test('the daemon waits for a database that accepts no connections', async () => {
  const target = await databaseWithRows();
  const admin = await administrator();
  const env = { ...target.env, ...noSchedule, RETRY_ATTEMPTS: '1', LOG_LEVEL: 'debug' };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  await admin.query(`alter database ${target.name} allow_connections false`);
  // From another database, because the test's pool may need a new connection, too.
  await endDaemonSessions({ query: (text, values) => admin.query(text, values) }, target);
  await runIntoOutage(daemon, `the database does not respond; ${down}: expected PostgreSQL at`);
  await admin.query(`alter database ${target.name} allow_connections true`);

  await expectRecovery(daemon);
});

test('a daemon that starts while the database accepts no connections waits for it', async () => {
  const target = await databaseWithRows();
  const admin = await administrator();
  await admin.query(`alter database ${target.name} allow_connections false`);
  const daemon = await startDaemon({
    env: { ...target.env, ...noSchedule, RETRY_ATTEMPTS: '1', LOG_LEVEL: 'debug' },
  });
  await daemon.untilLine(down);
  await admin.query(`alter database ${target.name} allow_connections true`);

  await daemon.untilLine(back);
  expect(messages(daemon, 'error')).toHaveLength(1);
});

test('the daemon waits for a database that was renamed for a moment', async () => {
  const target = await databaseWithRows();
  const admin = await administrator();
  const env = { ...target.env, ...noSchedule, RETRY_ATTEMPTS: '1', LOG_LEVEL: 'debug' };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  await endSessions(admin, target);
  await admin.query(`alter database ${target.name} rename to ${target.name}_away`);
  await runIntoOutage(daemon, `the database refuses connections; ${down}: PostgreSQL at`);
  await admin.query(`alter database ${target.name}_away rename to ${target.name}`);

  await expectRecovery(daemon);
});

test('a password changed in the settings too is used without an outage', async () => {
  const target = await databaseWithRows();
  const login = await createLogin(target, 'rotated', 'superuser');
  const { daemon, setPassword } = await daemonOf(login, { RETRY_ATTEMPTS: '0' });
  await untilRuns(daemon, 'start');
  for (const times of [1, 2]) {
    await setPassword(`new ${times}`);
    await target.query(`alter role ${login.role} password 'new ${times}'`);
    await endDaemonSessions(target, target);
    daemon.kill('SIGUSR2');

    const runs = await untilRuns(daemon, 'signal', times);
    expect(runs.slice(-3).map(([, outcome]) => outcome)).toEqual(refreshed);
  }
  expect(messages(daemon).filter((text) => text.includes('1 changed'))).toHaveLength(2);
  expect(messages(daemon, 'error')).toEqual([]);
  expect(messages(daemon, 'warn')).toEqual([]);
});

test('the daemon waits until a refused password is right again', async () => {
  const target = await databaseWithRows();
  const login = await createLogin(target, 'rotated', 'superuser');
  const { daemon } = await daemonOf(login);
  await untilRuns(daemon, 'start');
  await target.query(`alter role ${login.role} password 'another'`);
  await endDaemonSessions(target, target);
  await runIntoOutage(daemon, `the database refuses connections; ${down}: PostgreSQL at`);
  expect(messages(daemon).filter((text) => text.startsWith('settings'))).toEqual([]);
  await target.query(`alter role ${login.role} password '${login.env['DB_PASSWORD'] ?? ''}'`);

  await expectRecovery(daemon);
});

test('SIGHUP loads a new password and ends the outage', async () => {
  const target = await databaseWithRows();
  const login = await createLogin(target, 'rotated', 'superuser');
  const { daemon, setPassword } = await daemonOf(login);
  await untilRuns(daemon, 'start');
  await target.query(`alter role ${login.role} password 'another'`);
  await endDaemonSessions(target, target);
  await runIntoOutage(daemon, `the database refuses connections; ${down}: PostgreSQL at`);
  await setPassword('another');
  daemon.kill('SIGHUP');

  await expectRecovery(daemon);
});

test('a password changed during an outage is used when the server is back', async () => {
  const target = await databaseWithRows();
  const login = await createLogin(target, 'rotated', 'superuser');
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port) };
  const { daemon, setPassword } = await daemonOf({ ...login, env: { ...login.env, ...way } });
  await untilRuns(daemon, 'start');
  await proxy.cut();
  await runIntoOutage(daemon, `the database does not respond; ${down}: expected PostgreSQL at`);
  await setPassword('another');
  await target.query(`alter role ${login.role} password 'another'`);
  await proxy.restore();

  await expectRecovery(daemon);
});

test('the daemon waits for a role that may not log in for a moment', async () => {
  const target = await databaseWithRows();
  const login = await createLogin(target, 'locked', 'superuser');
  const { daemon } = await daemonOf(login);
  await untilRuns(daemon, 'start');
  await target.query(`alter role ${login.role} nologin`);
  await endDaemonSessions(target, target);
  await runIntoOutage(daemon, `the database refuses connections; ${down}: PostgreSQL at`);
  await target.query(`alter role ${login.role} login`);

  await expectRecovery(daemon);
});

test.each([
  ['a wrong password', { DB_PASSWORD: 'wrong' }, 'password authentication failed'],
  ['the name of no database', { DB_NAME: 'nowhere' }, 'database "nowhere" does not exist'],
])('%s ends the start with 5', async (_what, wrong, reason) => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule, ...wrong } });

  expect(await daemon.exited()).toEqual({ code: 5, signal: null });
  expect(daemon.stderr).toMatch(/^registry-stats: DATABASE_REFUSED: /);
  expect(daemon.stderr).toContain(reason);
});

test.each(['55000', '28P01', '28000', '3D000'])(
  '%s of a statement is a failed run, not an outage',
  async (code) => {
    const target = await databaseWithRows();
    await replaceUpdateCounts(target, `raise exception 'not now' using errcode = '${code}';`);
    const env = { ...target.env, ...noSchedule, RETRY_ATTEMPTS: '1', LOG_LEVEL: 'debug' };
    const daemon = await startDaemon({ env });
    const runs = await untilRuns(daemon, 'start');

    expect(runs.map(([, outcome]) => outcome)).toEqual(['failed', 'refreshed', 'refreshed']);
    expect(messages(daemon, 'error')).toEqual([expect.stringMatching(/^counts failed: not now/)]);
  },
);
