import { expect, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, everySecond, messages, noSchedule, untilRuns } from '../support/runs.js';
import {
  countSleeping,
  eventually,
  fastUpdateCounts,
  slowUpdateCounts,
} from '../support/slow-job.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';

const down = 'the database does not respond; runs wait until it is back';
const back = 'the database is back after';

async function startThrough(
  proxy: TcpProxy,
  target: TestDatabase,
  settings: Readonly<Record<string, string>>,
): Promise<Program> {
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), DB_CONNECT_TIMEOUT: '2s' };
  return startDaemon({ env: { ...target.env, ...way, ...settings } });
}

async function statusUrl(daemon: Program): Promise<string> {
  return (await daemon.untilLine('started;')).statusUrl ?? '';
}

async function get(daemon: Program, path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${await statusUrl(daemon)}${path}`);
  return { status: response.status, body: await response.json() };
}

function countOf(daemon: Program, text: string): number {
  return messages(daemon).filter((message) => message.startsWith(text)).length;
}

/** Waits until the schedule has requested more runs. */
function untilTicks(daemon: Program, count: number): Promise<true> {
  const before = countOf(daemon, 'refresh requested (schedule)');
  return daemon.until(
    `${count} ticks`,
    () => countOf(daemon, 'refresh requested (schedule)') >= before + count,
  );
}

test('without a database the daemon runs, logs it once, and starts jobs when the database is there', async () => {
  const target = await databaseWithRows();
  const proxy = await startTcpProxy();
  await proxy.cut();
  const daemon = await startThrough(proxy, target, { ...everySecond, RETRY_ATTEMPTS: '1' });
  await daemon.untilLine(down);
  await untilTicks(daemon, 3);

  expect(await get(daemon, '/live')).toEqual({ status: 200, body: { status: 'live' } });
  expect(await get(daemon, '/ready')).toEqual({
    status: 503,
    body: { status: 'not ready', reason: 'the database is unreachable or read-only' },
  });
  expect(messages(daemon, 'error')).toEqual([
    `${down}: expected PostgreSQL at 127.0.0.1:${proxy.port}, ` +
      `found: connect ECONNREFUSED 127.0.0.1:${proxy.port}`,
  ]);

  await proxy.restore();
  await daemon.untilLine(back);
  const runs = await untilRuns(daemon, 'recovery');
  expect(runs.map(([, outcome]) => outcome)).toEqual(['refreshed', 'refreshed', 'refreshed']);
  expect(await get(daemon, '/ready')).toEqual({ status: 200, body: { status: 'ready' } });
  expect(messages(daemon, 'error')).toHaveLength(1);
});

test('a connection lost during a run is logged once, and the run is repeated', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, { ...everySecond, RETRY_ATTEMPTS: '1' });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  await fastUpdateCounts(target);
  await proxy.cut();
  await daemon.untilLine(down);
  await untilTicks(daemon, 3);
  expect((await get(daemon, '/ready')).status).toBe(503);

  await proxy.restore();
  await daemon.untilLine(back);
  const runs = await untilRuns(daemon, 'recovery');
  expect(runs[0]).toEqual(['update_counts', 'refreshed', '4 views, full scan']);
  expect(await get(daemon, '/ready')).toEqual({ status: 200, body: { status: 'ready' } });
  expect(messages(daemon, 'error')).toHaveLength(1);
});

test('a statement that lost its connection is ended on the server before the run is repeated', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, { ...noSchedule, RETRY_ATTEMPTS: '0' });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  await fastUpdateCounts(target);
  await proxy.cut();
  await daemon.untilLine(down);
  await proxy.restore();

  const runs = await untilRuns(daemon, 'recovery');
  expect(runs[0]).toEqual(['update_counts', 'refreshed', '4 views, full scan']);
});

test('each outage is logged once', async () => {
  const target = await databaseWithRows();
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, { ...everySecond, RETRY_ATTEMPTS: '0' });
  await untilRuns(daemon, 'start');
  for (const times of [1, 2, 3]) {
    await proxy.cut();
    await daemon.until(`outage ${times}`, () => countOf(daemon, down) === times);
    await proxy.restore();
    await daemon.until(`recovery ${times}`, () => countOf(daemon, back) === times);
  }

  expect(messages(daemon, 'error')).toHaveLength(3);
});

test('the next attempt replaces a connection that was lost for a moment', async () => {
  const target = await databaseWithRows();
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, noSchedule);
  await untilRuns(daemon, 'start');
  await proxy.cut();
  await proxy.restore();
  daemon.kill('SIGUSR2');

  const runs = await untilRuns(daemon, 'signal');
  expect(runs.map(([, outcome]) => outcome)).toEqual(['refreshed', 'refreshed', 'skipped']);
  expect(messages(daemon, 'error')).toEqual([]);
});

test('terminated backends, idle or active, do not end the daemon', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  await fastUpdateCounts(target);
  await terminateBackends(target);
  expect((await untilRuns(daemon, 'start'))[0]?.[1]).toBe('refreshed');

  await terminateBackends(target);
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal'))[0]?.[1]).toBe('refreshed');
  expect(messages(daemon, 'error')).toEqual([]);
});

async function terminateBackends(target: TestDatabase): Promise<void> {
  await target.query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and application_name = 'registry-stats'`,
  );
}

test('a connection lost between two statements is handled like any lost connection', async () => {
  const target = await databaseWithRows();
  const timeouts = { statementTimeoutMs: 0, lockTimeoutMs: 0 };
  const losing = target.database.write(timeouts, async ({ query, client }) => {
    const [row] = await query<{ pid: number }>('select pg_backend_pid() as pid');
    const ended = new Promise((resolve) => client.once('end', resolve));
    await target.query('select pg_terminate_backend($1)', [row?.pid]);
    await ended;
    await query('select');
  });
  await expect(losing).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE', exitCode: 5 });
});

test('SIGTERM during a database outage ends the daemon with 0', async () => {
  const target = await databaseWithRows();
  const proxy = await startTcpProxy();
  await proxy.cut();
  const daemon = await startThrough(proxy, target, { ...everySecond, RETRY_ATTEMPTS: '1' });
  await daemon.untilLine(down);
  const start = performance.now();
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('SIGTERM ends with 0 even if the server of the run does not respond', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, { ...noSchedule, SHUTDOWN_TIMEOUT: '1s' });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  proxy.freeze();
  const start = performance.now();
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(performance.now() - start).toBeLessThan(20_000);
});

test('a server that stops responding between runs makes the daemon not ready, until it responds', async () => {
  const target = await databaseWithRows();
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target, { ...noSchedule, DB_CONNECT_TIMEOUT: '10s' });
  await untilRuns(daemon, 'start');
  expect(await get(daemon, '/ready')).toEqual({ status: 200, body: { status: 'ready' } });

  proxy.freeze();
  let response = await get(daemon, '/ready');
  await eventually('a daemon that is not ready', async () => {
    response = await get(daemon, '/ready');
    return response.status === 503;
  });
  expect(response.body).toEqual({
    status: 'not ready',
    reason: 'the database did not answer within 2 s',
  });
  expect(await get(daemon, '/live')).toEqual({ status: 200, body: { status: 'live' } });

  // The open connections stay silent; only a new connection works.
  await proxy.restore();
  await eventually('a daemon that is ready', async () => {
    return (await get(daemon, '/ready')).status === 200;
  });
  expect(messages(daemon, 'error')).toEqual([]);
});
