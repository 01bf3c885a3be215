import { rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startDaemon, temporaryDirectory, type Program } from '../support/program.js';
import { runsOf, untilRuns } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';

const clock = fileURLToPath(new URL('support/shifted-clock.mjs', import.meta.url));
const hour = 3_600;

interface Shifted {
  readonly daemon: Program;
  /** Shifts the daemon's clock by seconds. */
  readonly shift: (seconds: number) => Promise<void>;
}

async function startShifted(
  target: TestDatabase,
  seconds = 0,
  settings: Readonly<Record<string, string>> = {},
): Promise<Shifted> {
  const file = path.join(await temporaryDirectory(), 'offset');
  const shift = async (by: number): Promise<void> => {
    await writeFile(`${file}.new`, String(by * 1000));
    await rename(`${file}.new`, file);
  };
  await shift(seconds);
  const daemon = await startDaemon({
    env: { ...target.env, ...sceneSettings, ...settings, CLOCK_OFFSET_FILE: file },
    nodeArgs: ['--import', clock],
  });
  await untilRuns(daemon, 'start');
  return { daemon, shift };
}

/** Waits for more scheduled runs. */
function untilMoreRuns(daemon: Program, more = 3): Promise<unknown> {
  return untilRuns(daemon, 'schedule', runsOf(daemon.lines, 'schedule').length / 3 + more);
}

for (const [name, seconds] of [
  ['three hours ahead', 3 * hour],
  ['three hours back', -3 * hour],
  ['ten days back', -240 * hour],
  ['ten years ahead', 87_600 * hour],
] as const) {
  test(`a clock set ${name} costs one run, and the schedule continues`, async () => {
    const target = await databaseWithWork();
    const { daemon, shift } = await startShifted(target);
    await untilMoreRuns(daemon);
    const before = daemon.lines.length;
    const begin = performance.now();
    await shift(seconds);
    await untilMoreRuns(daemon);
    // One run per second that passed: none for the skipped times.
    const asked = daemon.lines
      .slice(before)
      .filter(({ msg }) => msg.startsWith('refresh requested'));
    expect(asked.length).toBeLessThanOrEqual(2 + (performance.now() - begin) / 1000);
    await shift(0);
    await untilMoreRuns(daemon);
    await expectRecovered(target, daemon);
  });
}

test('after the machine slept, one run covers all missed ones, for any schedule', async () => {
  const target = await databaseWithWork();
  const daily = { REFRESH_SCHEDULE: '0 0 * * *' };
  const { daemon, shift } = await startShifted(target, 0, daily);
  await shift(26 * hour);
  await untilRuns(daemon, 'schedule');

  expect(runsOf(daemon.lines, 'schedule')).toHaveLength(3);
  await shift(0);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

const turns = [
  ['the end of a month', '2026-11-30T23:59:50Z'],
  ['the end of a year', '2026-12-31T23:59:50Z'],
  ['the begin of a leap day', '2028-02-28T23:59:50Z'],
  ['the end of a leap day', '2028-02-29T23:59:50Z'],
  ['the begin of summer time in Europe', '2027-03-28T00:59:50Z'],
  ['the end of summer time in Europe', '2027-10-31T00:59:50Z'],
  ['the begin of summer time in Virginia', '2027-03-14T06:59:50Z'],
  ['the end of summer time in Virginia', '2027-11-07T05:59:50Z'],
] as const;

for (const [name, moment] of turns) {
  const zone = name.endsWith('Virginia') ? 'America/New_York' : 'Europe/Berlin';
  test(`the schedule is kept at ${name}`, async () => {
    const target = await databaseWithWork();
    const offset = (Date.parse(moment) - Date.now()) / 1000;
    const daemon = (await startShifted(target, offset, { TZ: zone })).daemon;
    await daemon.until('3 s after it', () => {
      const after = new Date(Date.parse(moment) + 13_000).toISOString();
      return daemon.lines.some(
        ({ time, trigger }) => trigger === 'schedule' && String(time) > after,
      );
    });

    const seconds = daemon.lines
      .filter(({ msg }) => msg === 'refresh requested (schedule)')
      .map(({ time }) => Math.floor(Date.parse(String(time)) / 1000));
    expect(new Set(seconds).size).toBe(seconds.length);
    expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThanOrEqual(seconds.length + 2);
    await expectRecovered(target, daemon);
  });
}
