import { expect, test } from 'vitest';
import { jobNames } from '../../src/jobs/job.js';
import { daemonWithFile } from '../support/daemon-with-file.js';
import { startDaemon, type Program } from '../support/program.js';
import { messages, runsOf } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { heldRun, recordOf, untilBackendEnds } from './support/records.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';
import { haltAt, runSteps, type Halt, type Step } from './support/steps.js';

const crashed = { outcome: 'crashed', reason: 'its server process ended without finishing it' };

interface Held {
  readonly target: TestDatabase;
  readonly env: Readonly<Record<string, string>>;
  readonly daemon: Program;
  readonly halt: Halt;
  readonly pid: number;
  readonly run: string | undefined;
}

/** Starts a daemon and holds it at a step. */
async function hold(
  step: Step,
  settings: Readonly<Record<string, string>> = {},
  nodeArgs: readonly string[] = [],
): Promise<Held> {
  const target = await databaseWithWork();
  const halt = await haltAt(target, step);
  const env = { ...target.env, ...sceneSettings, ...settings };
  const daemon = await startDaemon({ env, nodeArgs });
  const pid = await halt.reached();
  return { target, env, daemon, halt, pid, run: await heldRun(target) };
}

/** On SIGWINCH, collects garbage and prints the heap size to stderr. */
const measureHeap = [
  '--expose-gc',
  '--import',
  `data:text/javascript,process.on('SIGWINCH', () => {
    gc();
    process.stderr.write('heap: ' + process.memoryUsage().heapUsed + '\\n');
  });`,
];

async function heapOf(daemon: Program): Promise<number> {
  const heaps = (): RegExpExecArray[] => [...daemon.stderr.matchAll(/^heap: (\d+)$/gm)];
  const measured = heaps().length;
  daemon.kill('SIGWINCH');
  await daemon.until('its heap', () => heaps().length > measured);
  return Number(heaps().at(-1)?.[1]);
}

/** Sends each signal after the last one arrived, because pending signals count as one. */
async function sendRefreshes(daemon: Program, count: number): Promise<void> {
  const arrived = (): number =>
    daemon.lines.filter(
      ({ msg, trigger }) => trigger === 'signal' && msg.startsWith('a run is in progress'),
    ).length;
  const before = arrived();
  for (let sent = 1; sent <= count; sent++) {
    daemon.kill('SIGUSR2');
    await daemon.until(`signal ${sent}`, () => arrived() >= before + sent);
  }
}

for (const step of runSteps) {
  test(`SIGTERM ${step.name} cancels the run on the server after SHUTDOWN_TIMEOUT`, async () => {
    const { target, env, daemon, halt, pid, run } = await hold(step, { SHUTDOWN_TIMEOUT: '1s' });
    daemon.kill('SIGTERM');

    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    expect(messages(daemon, 'error')).toEqual([]);
    const found = await target.query('select from pg_stat_activity where pid = $1', [pid]);
    expect(found).toEqual([]);
    if (run !== undefined) {
      expect(await recordOf(target, run)).toEqual({
        outcome: 'cancelled',
        reason: 'the daemon stops and SHUTDOWN_TIMEOUT (1 s) is over',
      });
    }
    await halt.open();
    await expectRecovered(target, await startDaemon({ env }));
  });

  test(`a second SIGTERM ${step.name} ends the daemon with 1 at once`, async () => {
    const { target, env, daemon, halt, pid, run } = await hold(step);
    daemon.kill('SIGTERM');
    await daemon.untilLine('SIGTERM: stopping, no new run');
    daemon.kill('SIGTERM');

    expect(await daemon.exited()).toEqual({ code: 1, signal: null });
    await untilBackendEnds(target, pid);
    await halt.open();
    await expectRecovered(target, await startDaemon({ env }));
    if (run !== undefined) expect(await recordOf(target, run)).toEqual(crashed);
  });

  test(`SIGTERM, then SIGKILL ${step.name}, as a Spot container is taken away, loses nothing`, async () => {
    const { target, env, daemon, halt, pid, run } = await hold(step);
    daemon.kill('SIGTERM');
    await daemon.untilLine('SIGTERM: stopping, no new run');
    daemon.kill('SIGKILL');
    await daemon.exited();
    // Another container starts before the server notices.
    const next = await startDaemon({ env });
    await next.untilLine('started;');
    await untilBackendEnds(target, pid);
    await halt.open();

    await expectRecovered(target, next);
    if (run !== undefined) expect(await recordOf(target, run)).toEqual(crashed);
  });

  test(`1,000 SIGUSR2 ${step.name} become one more run, and leak no memory`, async () => {
    const { target, daemon, halt } = await hold(step, { LOG_LEVEL: '1' }, measureHeap);
    await sendRefreshes(daemon, 100);
    const before = await heapOf(daemon);
    await sendRefreshes(daemon, 1_000);
    const after = await heapOf(daemon);
    await halt.open();
    await expectRecovered(target, daemon);

    // Less than one promise and one closure per signal would use.
    expect(after - before).toBeLessThan(200_000);
    const runs = runsOf(daemon.lines, 'signal').map(([job]) => job);
    expect(runs).toEqual([...new Set(runs)]);
  });

  test(`SIGHUP ${step.name}, with wrong, other and the same settings, leaves the run alone`, async () => {
    const target = await databaseWithWork();
    const halt = await haltAt(target, step);
    const { daemon, rewrite } = await daemonWithFile(target, sceneSettings);
    await halt.reached();
    const run = await heldRun(target);
    await rewrite({ ...sceneSettings, REFRESH_SCHEDULE: 'now and then' });
    daemon.kill('SIGHUP');
    await daemon.untilLine('settings not reloaded, the old ones stay');
    await rewrite({ ...sceneSettings, DB_POOL_SIZE: '7', LOG_LEVEL: '0' });
    daemon.kill('SIGHUP');
    await daemon.untilLine('settings reloaded, 2 changed');
    daemon.kill('SIGHUP');
    await daemon.untilLine('settings reloaded, 0 changed');
    await halt.open();

    await expectRecovered(target, daemon);
    expect(messages(daemon, 'error')).toEqual([
      expect.stringContaining('settings not reloaded, the old ones stay'),
    ]);
    expect(runsOf(daemon.lines, 'start').map(([, outcome]) => outcome)).toEqual(
      jobNames.map(() => 'refreshed'),
    );
    if (run !== undefined) {
      expect(await recordOf(target, run)).toMatchObject({ outcome: 'refreshed' });
    }
  });
}
