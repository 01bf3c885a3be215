import { expect, onTestFinished, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, messages, noSchedule, runsOf, untilRuns } from '../support/runs.js';
import {
  countSleeping,
  eventually,
  gateUpdateCounts,
  slowUpdateCounts,
} from '../support/slow-job.js';
import { startSsmStandIn } from '../support/ssm-stand-in.js';

/** A job at the gate waits for a lock. */
const patient = { LOCK_TIMEOUT: '2m' };

/** Prints to stderr when the program has installed its handlers, its first step. */
const announceHandlers = [
  '--import',
  `data:text/javascript,process.on('newListener', (name) => {
    if (name === 'SIGINT') process.stderr.write('handlers are installed\\n');
  });`,
];

function handlersInstalled(program: Program): Promise<true> {
  return program.until('handlers', () => program.stderr.includes('handlers are installed'));
}

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return (performance.now() - start) / 1000;
}

const manualRun = [
  ['update_counts', 'refreshed', '4 views, full scan'],
  ['update_current_deposit_stats', 'refreshed', '1 view, full scan'],
  ['populate_all_historical_deposit_stats', 'skipped', 'no month is missing'],
];

test('SIGUSR2 runs all three jobs on fresh figures, and logs it', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await untilRuns(daemon, 'start');
  daemon.kill('SIGUSR2');

  expect(await untilRuns(daemon, 'signal')).toEqual(manualRun);
  expect(messages(daemon)).toContain('refresh requested (signal)');
  expect(messages(daemon, 'error')).toEqual([]);
});

test('ten SIGUSR2 while a run is in progress become one more run of each job', async () => {
  const target = await databaseWithRows();
  const gate = await gateUpdateCounts(target);
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule, ...patient } });
  await gate.reached();
  for (let i = 1; i <= 10; i++) {
    daemon.kill('SIGUSR2');
    // Pending signals count as one, so each is sent after the last one arrived.
    await daemon.until(`signal ${i}`, () => messages(daemon).filter(isCoalesced).length === i);
  }
  await gate.open();
  await untilRuns(daemon, 'signal');
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(runsOf(daemon.lines, 'signal')).toEqual(manualRun);
  expect(runsOf(daemon.lines, 'start')).toHaveLength(3);
});

function isCoalesced(message: string): boolean {
  return message === 'a run is in progress: one more will follow it';
}

test('SIGUSR2 and SIGHUP during the start take effect when the daemon is ready', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({
    env: { ...target.env, ...noSchedule },
    nodeArgs: announceHandlers,
  });
  await handlersInstalled(daemon);
  daemon.kill('SIGUSR2');
  daemon.kill('SIGHUP');

  expect(await untilRuns(daemon, 'signal')).toEqual(manualRun);
  await daemon.untilLine('settings reloaded, 0 changed');
});

test('SIGTERM while the program loads ends it with 0 before it runs any job', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const daemon = await startDaemon({ env: target.env, nodeArgs: announceHandlers });
  await handlersInstalled(daemon);
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(runsOf(daemon.lines, 'start')).toEqual([]);
});

test('SIGTERM while Parameter Store keeps the start waiting ends it with 0', async () => {
  const store = await startSsmStandIn({ fault: () => 'silence' });
  onTestFinished(store.close);
  const daemon = await startDaemon({
    env: {
      APT_ENV: 'staging',
      AWS_ACCESS_KEY_ID: 'nobody',
      AWS_SECRET_ACCESS_KEY: 'nothing',
      AWS_ENDPOINT_URL_SSM: store.url,
      SSM_TIMEOUT: '2m',
    },
  });
  await eventually('a request', () => store.requests.length > 0);
  daemon.kill('SIGTERM');

  expect(await secondsOf(daemon.exited())).toBeLessThan(10);
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

test('SIGTERM while idle ends the daemon with 0', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await untilRuns(daemon, 'start');
  daemon.kill('SIGTERM');

  expect(await secondsOf(daemon.exited())).toBeLessThan(10);
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(messages(daemon).slice(-2)).toEqual(['SIGTERM: stopping, no new run', 'stopped']);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets the run in progress finish, and starts no other`, async () => {
    const target = await databaseWithRows();
    const gate = await gateUpdateCounts(target);
    const daemon = await startDaemon({
      env: { ...target.env, ...noSchedule, ...patient, SHUTDOWN_TIMEOUT: '2m' },
    });
    await gate.reached();
    daemon.kill(signal);
    await daemon.untilLine(`${signal}: stopping, no new run`);
    daemon.kill('SIGUSR2');
    await gate.open();

    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    expect(runsOf(daemon.lines, 'start')).toEqual([
      ['update_counts', 'refreshed', '4 views, full scan'],
    ]);
    expect(runsOf(daemon.lines, 'signal')).toEqual([]);
  });
}

test('SIGTERM cancels a statement on the server after SHUTDOWN_TIMEOUT', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const daemon = await startDaemon({
    env: { ...target.env, ...noSchedule, SHUTDOWN_TIMEOUT: '1s' },
  });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  daemon.kill('SIGTERM');

  const seconds = await secondsOf(daemon.exited());
  expect(seconds).toBeGreaterThan(0.9);
  expect(seconds).toBeLessThan(10);
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(await countSleeping(target)).toBe(0);
  expect(runsOf(daemon.lines, 'start')).toEqual([
    ['update_counts', 'cancelled', 'the daemon stops and SHUTDOWN_TIMEOUT (1 s) is over'],
  ]);
  expect(messages(daemon, 'error')).toEqual([]);
});

test('a second SIGTERM ends the daemon with 1 at once, and its backend ends', async () => {
  const target = await databaseWithRows();
  await slowUpdateCounts(target);
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  daemon.kill('SIGTERM');
  await daemon.untilLine('SIGTERM: stopping, no new run');
  daemon.kill('SIGTERM');

  expect(await secondsOf(daemon.exited())).toBeLessThan(5);
  expect(await daemon.exited()).toEqual({ code: 1, signal: null });
  const seconds = await secondsOf(
    eventually('its end', async () => (await countSleeping(target)) === 0),
  );
  expect(seconds).toBeLessThan(20);
});
