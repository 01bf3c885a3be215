import { existsSync } from 'node:fs';
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test, type TestContext } from 'vitest';
import { startDaemon } from '../support/program.js';
import { untilRuns } from '../support/runs.js';
import { eventually } from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { expectRecovered } from './support/recovery.js';
import { sceneSettings } from './support/scene.js';

/** Debian's package `faketime`. */
const faketime = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu']
  .map((folder) => `${folder}/faketime/libfaketime.so.1`)
  .find((file) => existsSync(file));

interface Shifted {
  readonly target: TestDatabase;
  /** Sets the server's clock, also for open sessions. */
  readonly set: (moment: string) => Promise<void>;
}

async function startShifted(
  { skip }: TestContext,
  moment: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<Shifted> {
  skip(faketime === undefined, 'needs libfaketime');
  const server = await startOwnServer(settings);
  const file = `${server.cluster}-clock`;
  const set = async (to: string): Promise<void> => {
    const seconds = Math.round((Date.parse(to) - Date.now()) / 1000);
    await writeFile(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}`);
    await chmod(`${file}.new`, 0o644);
    await rename(`${file}.new`, file);
  };
  onTestFinished(() => rm(file, { force: true }));
  await set(moment);
  await server.stop('fast');
  const clock = {
    LD_PRELOAD: faketime ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  // The server inherits the environment of this process.
  Object.assign(process.env, clock);
  try {
    await server.start();
  } finally {
    for (const name of Object.keys(clock)) Reflect.deleteProperty(process.env, name);
  }
  return { target: server.target, set };
}

async function months({ query }: TestDatabase): Promise<{ last: string; count: number }> {
  const [row] = await query<{ last: string; count: number }>(
    `select max(end_date)::text as last, count(distinct end_date)::int as count
    from public.historical_deposit_stats`,
  );
  return row ?? { last: '', count: 0 };
}

/** Counts the months from 2014-01 to this one. */
function monthsUntil(last: string): number {
  const date = new Date(last);
  return 12 * (date.getUTCFullYear() - 2014) + date.getUTCMonth() + 1;
}

const turns = [
  ['a month', '2026-11-30T23:59:50Z', '2026-11-01', '2026-12-01', {}],
  ['a year', '2026-12-31T23:59:50Z', '2026-12-01', '2027-01-01', {}],
  ['a February without a leap day', '2027-02-28T23:59:50Z', '2027-02-01', '2027-03-01', {}],
  ['a leap day', '2028-02-29T23:59:50Z', '2028-02-01', '2028-03-01', {}],
  [
    'a month, on a server that lives in Virginia',
    '2027-03-31T23:59:50Z',
    '2027-03-01',
    '2027-04-01',
    { timezone: 'America/New_York' },
  ],
] as const;

for (const [what, moment, before, after, settings] of turns) {
  test(`the history gets its next month at the end of ${what}, in UTC`, async (context) => {
    const { target } = await startShifted(context, moment, settings);
    const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
    const [job] = await target.query<{ last: string }>(
      `select max(month)::text as last from registry_stats.missing_months() as month`,
    );
    await untilRuns(daemon, 'start');
    await eventually('the next month', async () => (await months(target)).last === after);
    expect([before, after, null]).toContain(job?.last);
    expect(await months(target)).toEqual({ last: after, count: monthsUntil(after) });
    await expectRecovered(target, daemon);
  });
}

test('no month is added when a leap day begins', async (context) => {
  const { target, set } = await startShifted(context, '2028-02-28T23:59:55Z');
  const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  await set('2028-02-29T00:00:05Z');
  await untilRuns(daemon, 'schedule', 2);
  expect(await months(target)).toEqual({ last: '2028-02-01', count: monthsUntil('2028-02-01') });
  await expectRecovered(target, daemon);
});

test('after a server clock was ahead, its months remain and the history continues', async (context) => {
  const { target, set } = await startShifted(context, '2027-06-15T12:00:00Z');
  const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  expect((await months(target)).last).toBe('2027-06-01');
  await set('2027-04-15T12:00:00Z');
  await untilRuns(daemon, 'schedule', 2);
  expect((await months(target)).last).toBe('2027-06-01');
  await set('2027-07-01T00:00:01Z');
  await eventually('the next month', async () => (await months(target)).last === '2027-07-01');
  await expectRecovered(target, daemon);
});
