import { expect, test } from 'vitest';
import type { JobAnswer, StatusAnswer } from '../src/http/answers.js';
import type { JobRecordAnswer } from '../src/status/answers.js';
import { formatAge, formatBytes, formatDuration, formatTime } from '../src/http/page/format.js';
import { describeState, isDatabaseAway, jobStates } from '../src/http/page/job-state.js';
import { judge } from '../src/http/page/verdict.js';

const now = new Date('2026-03-01T10:42:12Z');
const names = [
  'update_counts',
  'update_current_deposit_stats',
  'populate_all_historical_deposit_stats',
];

/** Runs of a day ago that refreshed; a check of ten seconds ago that found nothing. */
const refreshed = '2026-02-28T09:00:00.000Z';
const checked = '2026-03-01T10:42:00.000Z';

function job(name: string): JobAnswer {
  return {
    job: name,
    subject: '',
    isRunning: false,
    lastRun: {
      trigger: 'schedule',
      outcome: 'skipped',
      reason: 'nothing changed since the last refresh',
      skipReason: 'unchanged',
      startedAt: checked,
      durationMs: 3,
    },
    lastSuccess: checked,
    consecutiveFailures: 0,
  };
}

function record(name: string): JobRecordAnswer {
  return {
    job: name,
    outcome: 'skipped',
    reason: 'unchanged',
    lastCheck: checked,
    lastRefresh: refreshed,
    dataAsOf: checked,
    consecutiveFailures: 0,
    pendingChanges: 0,
  };
}

const fresh: StatusAnswer = {
  version: 1,
  pid: 42,
  startedAt: refreshed,
  isMaintenance: false,
  isDatabaseDown: false,
  nextRun: '2026-03-01T11:00:00.000Z',
  answeredAt: now.toISOString(),
  jobs: names.map(job),
  statistics: {
    mode: 'incremental',
    problem: null,
    pendingChanges: 0,
    inexact: [],
    jobs: names.map(record),
  },
};

test('skipping is no staleness: figures refreshed yesterday are exact as of the last check', () => {
  expect(judge(fresh, now)).toEqual({
    level: 'good',
    sentence: 'All statistics are exact as of 10:42 UTC.',
    details: ['Nothing is waiting. The next run is at 11:00 UTC.'],
    checkedAt: checked,
  });
  expect(jobStates(fresh).map(({ state }) => state)).toEqual(['fresh', 'fresh', 'fresh']);
});

/** The state of migration 001, in which every job was skipped for this reason. */
function plainAfter(skipReason: string): StatusAnswer {
  const jobs = fresh.jobs.map((one) =>
    one.lastRun === null ? one : { ...one, lastRun: { ...one.lastRun, skipReason } },
  );
  const plain = { mode: 'plain' as const, pendingChanges: null, jobs: [] };
  return { ...fresh, jobs, statistics: { ...fresh.statistics, ...plain } };
}

test('in the state of migration 001 a skip is not taken for figures as of now', () => {
  const status = plainAfter('declined');
  expect(judge(status, now).sentence).toBe(
    'All statistics were less than an hour old when they were last checked.',
  );
  expect(jobStates(status).map(({ dataAsOf }) => dataAsOf)).toEqual([null, null, null]);
});

test('in the state of migration 001 a job that ran elsewhere says nothing of its figures', () => {
  const [, ...others] = plainAfter('declined').jobs;
  const [busy = job('')] = plainAfter('busy').jobs;
  expect(judge({ ...plainAfter('declined'), jobs: [busy, ...others] }, now)).toMatchObject({
    level: 'good',
    sentence:
      'update_counts ran elsewhere when last checked; how old its figures are is not known.',
  });
});

test('pending changes wait for the next run, and are nothing wrong', () => {
  const statistics = { ...fresh.statistics, pendingChanges: 1_234 };
  expect(judge({ ...fresh, statistics }, now)).toMatchObject({
    level: 'good',
    details: ['1,234 changes since then wait for the run at 11:00 UTC.'],
  });
});

test('a failure on record is told though this daemon has not seen it', () => {
  const [counts, ...others] = fresh.statistics.jobs;
  if (counts === undefined) throw new Error('no job');
  const failed = {
    ...counts,
    outcome: 'failed',
    reason: 'disk full',
    lastCheck: '2026-03-01T10:42:10.000Z',
    dataAsOf: refreshed,
    consecutiveFailures: 3,
  };
  const statistics = { ...fresh.statistics, jobs: [failed, ...others] };
  expect(judge({ ...fresh, statistics }, now)).toEqual({
    level: 'bad',
    sentence: 'update_counts fails.',
    details: [
      'update_counts (3 times in a row): disk full. Its figures are still as of 28 Feb 09:00 UTC.',
      'It is tried again at 11:00 UTC. Fix the cause, then send the daemon SIGUSR2 ' +
        '(kill -USR2 42) to try at once.',
    ],
    checkedAt: checked,
  });
});

test('a job that is skipped as inexact cannot run, and it says what to do', () => {
  const [counts = job(''), ...others] = fresh.jobs;
  const { lastRun } = counts;
  if (lastRun === null) throw new Error('no run');
  const held = { ...counts, lastRun: { ...lastRun, skipReason: 'inexact', reason: 'held' } };
  const verdict = judge({ ...fresh, jobs: [held, ...others] }, now);
  expect(verdict.level).toBe('bad');
  expect(verdict.sentence).toBe('update_counts cannot run.');
  expect(verdict.details.join()).toContain('`registry-stats status` says what helps');
});

test('maintenance, a first run and a table to be rebuilt are waited for', () => {
  expect(judge({ ...fresh, isMaintenance: true }, now)).toMatchObject({
    level: 'wait',
    sentence: 'Maintenance: nothing is refreshed.',
  });
  const jobs = fresh.jobs.map((one) => ({ ...one, lastRun: null, lastSuccess: null }));
  const starting = { ...fresh, jobs, statistics: { ...fresh.statistics, jobs: [] } };
  expect(judge(starting, now)).toMatchObject({
    level: 'wait',
    sentence: 'The first run is not finished.',
  });
  const inexact = [{ name: 'generic_files', reason: 'truncated' }];
  expect(judge({ ...fresh, statistics: { ...fresh.statistics, inexact } }, now)).toMatchObject({
    level: 'wait',
    sentence: 'generic_files must be rebuilt.',
  });
});

test('while the database is away the state of a job is said to be the last that is known', () => {
  const away = { ...fresh, isDatabaseDown: true };
  const unknown = { ...fresh, statistics: { ...fresh.statistics, mode: 'unknown' as const } };
  const words = (status: StatusAnswer): string[] =>
    jobStates(status).map((state) => describeState(state, isDatabaseAway(status)));
  expect(words(fresh)).toEqual(Array(3).fill('fresh'));
  expect(words(away)).toEqual(Array(3).fill('last known: fresh'));
  expect(words(unknown)).toEqual(Array(3).fill('last known: fresh'));
});

test('bytes, durations, times and ages are short', () => {
  expect([0, 1_023, 1_024, 1.5 * 2 ** 40, 150 * 2 ** 30].map(formatBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.00 kB',
    '1.50 TB',
    '150 GB',
  ]);
  expect([0, 999, 1_500, 59_000, 61_000, 7_260_000].map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1.5 s',
    '59 s',
    '1 min 1 s',
    '2 h 1 min',
  ]);
  expect(formatTime('2025-12-31T23:59:00.000Z', now)).toBe('31 Dec 2025 23:59 UTC');
  expect(formatAge('2026-03-01T10:42:00.000Z', now)).toBe('12 s ago');
  expect(formatAge('2026-03-01T11:00:00.000Z', now)).toBe('in 17 min');
});
