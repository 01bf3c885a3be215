import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { daemonWithFile } from '../support/daemon-with-file.js';
import { startDaemon, temporaryDirectory } from '../support/program.js';
import { databaseWithRows, messages, noSchedule, runsOf, untilRuns } from '../support/runs.js';
import {
  countSleeping,
  eventually,
  gateUpdateCounts,
  replaceUpdateCounts,
  slowUpdateCounts,
} from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';

test('SIGHUP applies another LOG_LEVEL and logs which setting changed', async () => {
  const target = await databaseWithRows();
  const { daemon, rewrite } = await daemonWithFile(target, noSchedule);
  await untilRuns(daemon, 'start');
  await rewrite({ ...noSchedule, LOG_LEVEL: 'debug' });
  daemon.kill('SIGHUP');

  const line = await daemon.untilLine('settings reloaded, 1 changed');
  expect(line['changed']).toEqual(['LOG_LEVEL']);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  expect(messages(daemon, 'debug')).toContain('update_counts started');
});

test('SIGHUP applies another REFRESH_SCHEDULE', async () => {
  const target = await databaseWithRows();
  const { daemon, rewrite } = await daemonWithFile(target, noSchedule);
  await untilRuns(daemon, 'start');
  await rewrite({ REFRESH_SCHEDULE: '* * * * * *' });
  daemon.kill('SIGHUP');

  await untilRuns(daemon, 'schedule', 2);
  await rewrite(noSchedule);
  daemon.kill('SIGHUP');
  await daemon.until('second reload', () => messages(daemon).filter(isReload).length === 2);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const next = daemon.lines.findLast(({ trigger, nextRun }) => trigger === 'signal' && nextRun);
  expect(String(next?.['nextRun'])).toMatch(/^\d{4}-02-29T00:00:00.000Z$/);
});

function isReload(message: string): boolean {
  return message.startsWith('settings reloaded');
}

test('SIGHUP with a wrong setting names it in one error, and the old settings stay', async () => {
  const target = await databaseWithRows();
  const { daemon, rewrite } = await daemonWithFile(target, noSchedule);
  await untilRuns(daemon, 'start');
  await rewrite({ REFRESH_SCHEDULE: 'hourly', LOG_LEVEL: 'debug' });
  daemon.kill('SIGHUP');

  const line = await daemon.untilLine('settings not reloaded, the old ones stay:');
  expect(line.msg).toContain('REFRESH_SCHEDULE (.env.test): expected a cron expression');
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal'))[0]).toEqual([
    'update_counts',
    'refreshed',
    '4 views, full scan',
  ]);
  expect(messages(daemon, 'error')).toEqual([line.msg]);
  expect(messages(daemon, 'debug')).toEqual([]);
});

test('SIGHUP to a server that does not respond keeps the old one', async () => {
  const target = await databaseWithRows();
  const cwd = await temporaryDirectory();
  const { DB_PORT: port = '', ...env } = target.env;
  await writeFile(path.join(cwd, '.env.test'), `DB_PORT=${port}\n`);
  const daemon = await startDaemon({ env: { ...env, ...noSchedule }, cwd });
  await untilRuns(daemon, 'start');
  await writeFile(path.join(cwd, '.env.test'), 'DB_PORT=1\n');
  daemon.kill('SIGHUP');

  const line = await daemon.untilLine('settings not reloaded, the old ones stay:');
  expect(line.msg).toContain('connect ECONNREFUSED');
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal'))[0]?.[1]).toBe('refreshed');
});

test('SIGHUP during a run does not lose the run, and the next one uses the new pool', async () => {
  const target = await databaseWithRows();
  const gate = await gateUpdateCounts(target);
  const patient = { ...noSchedule, LOCK_TIMEOUT: '2m' };
  const { daemon, rewrite } = await daemonWithFile(target, patient);
  const pid = await gate.reached();
  await rewrite({ ...patient, DB_POOL_SIZE: '5' });
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 1 changed');
  daemon.kill('SIGUSR2');
  await daemon.untilLine('a run is in progress');
  await gate.open();

  await untilRuns(daemon, 'signal');
  expect(runsOf(daemon.lines, 'start')[0]?.[1]).toBe('refreshed');
  expect(runsOf(daemon.lines, 'signal')[0]?.[1]).toBe('refreshed');
  await eventually('the end of the old pool', async () => !(await isConnected(target, pid)));
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

async function isConnected(target: TestDatabase, pid: number): Promise<boolean> {
  const rows = await target.query('select from pg_stat_activity where pid = $1', [pid]);
  return rows.length > 0;
}

test('SIGTERM after SIGHUP during a run cancels the run of the old pool on the server', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const settings = { ...noSchedule, SHUTDOWN_TIMEOUT: '1s' };
  const { daemon, rewrite } = await daemonWithFile(target, settings);
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  await rewrite({ ...settings, DB_POOL_SIZE: '5' });
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 1 changed');
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(runsOf(daemon.lines, 'start')[0]?.[1]).toBe('cancelled');
  expect(await countSleeping(target)).toBe(0);
});

test('a run retried after SIGHUP uses the new pool', async () => {
  const target = await databaseWithRows();
  await target.query('create table public.obstacle ()');
  await replaceUpdateCounts(
    target,
    `if to_regclass('public.obstacle') is not null then
      raise exception 'an obstacle' using errcode = 'serialization_failure';
    end if;`,
  );
  const settings = { ...noSchedule, LOG_LEVEL: 'debug', RETRY_ATTEMPTS: '10' };
  const { daemon } = await daemonWithFile(target, settings);
  await daemon.untilLine('update_counts will be tried again');
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 0 changed');
  await target.query('drop table public.obstacle');

  expect((await untilRuns(daemon, 'start'))[0]).toEqual([
    'update_counts',
    'refreshed',
    '4 views, full scan',
  ]);
});

test('SIGTERM right after SIGHUP ends the daemon with 0 without delay', async () => {
  const target = await databaseWithRows();
  const { daemon } = await daemonWithFile(target, noSchedule);
  await untilRuns(daemon, 'start');
  const start = performance.now();
  daemon.kill('SIGHUP');
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(messages(daemon).at(-1)).toBe('stopped');
});

test('SIGHUP begins and ends MAINTENANCE_MODE', async () => {
  const target = await databaseWithRows();
  const { daemon, rewrite } = await daemonWithFile(target, noSchedule);
  await untilRuns(daemon, 'start');
  await rewrite({ ...noSchedule, MAINTENANCE_MODE: 'true' });
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 1 changed');
  daemon.kill('SIGUSR2');
  const runs = await untilRuns(daemon, 'signal');
  expect(runs.map(([, outcome, reason]) => [outcome, reason])).toEqual(
    Array(3).fill(['skipped', 'MAINTENANCE_MODE is true']),
  );

  await rewrite(noSchedule);
  daemon.kill('SIGHUP');
  await daemon.until('second reload', () => messages(daemon).filter(isReload).length === 2);
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal', 2))[3]?.[1]).toBe('refreshed');
});

test('a name that is almost a setting is a warning, once for each name', async () => {
  const target = await databaseWithRows();
  const mistyped = { ...noSchedule, LOG_LEVLE: 'debug' };
  const { daemon, rewrite } = await daemonWithFile(target, mistyped);
  await daemon.untilLine('started;');
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 0 changed');
  await rewrite({ ...mistyped, LOCK_TIMOUT: '5s', DB_POOL_SIZE: '5' });
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded, 1 changed');

  expect(messages(daemon, 'warn')).toEqual([
    expect.stringMatching(/^\.env\S*: LOG_LEVLE is not a setting; did you mean LOG_LEVEL\?$/),
    expect.stringMatching(/^\.env\S*: LOCK_TIMOUT is not a setting; did you mean LOCK_TIMEOUT\?$/),
  ]);
});
