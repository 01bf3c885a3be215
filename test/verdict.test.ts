import { expect, test } from 'vitest';
import type { DaemonState, JobHistory, JobRecord, StatisticsState } from '../src/status/model.js';
import { toStatus } from '../src/status/status.js';

const names = [
  'update_counts',
  'update_current_deposit_stats',
  'populate_all_historical_deposit_stats',
];

/** A refresh a day ago, and a check ten seconds ago that found no change. */
const refreshed = '2026-02-28T09:00:00.000Z';
const checked = '2026-03-01T10:42:00.000Z';

function job(name: string): JobHistory {
  return {
    job: name,
    title: name,
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
    failingSince: null,
  };
}

function record(name: string): JobRecord {
  return {
    job: name,
    outcome: 'skipped',
    reason: 'unchanged',
    lastCheck: checked,
    lastRefresh: refreshed,
    dataAsOf: checked,
    consecutiveFailures: 0,
    failingSince: null,
    pendingChanges: 0,
  };
}

const daemon: DaemonState = {
  version: 1,
  pid: 42,
  startedAt: refreshed,
  installation: {
    programVersion: '1.2.3',
    environment: 'staging',
    databaseName: 'registry',
    databaseHost: 'staging-db',
  },
  isMaintenance: false,
  maintenanceSince: null,
  isDatabaseDown: false,
  databaseDownSince: null,
  databaseProblem: null,
  nextRun: '2026-03-01T11:00:00.000Z',
  nextVerification: null,
  jobs: names.map(job),
};
const [counts = job(''), ...otherJobs] = daemon.jobs;

const incremental: StatisticsState = {
  mode: 'incremental',
  problem: null,
  pendingChanges: 0,
  inexact: [],
  jobs: names.map(record),
  lastVerification: null,
  blocker: null,
};

/** The legacy state in which every job was skipped for this reason. */
const legacy: StatisticsState = { ...incremental, mode: 'plain', pendingChanges: null, jobs: [] };

function skippedFor(skipReason: string, history = counts): JobHistory {
  if (history.lastRun === null) throw new Error('no run');
  return { ...history, lastRun: { ...history.lastRun, skipReason, reason: skipReason } };
}

const verdictOf = (own: Partial<DaemonState>, statistics: Partial<StatisticsState> = {}) =>
  toStatus({ ...daemon, ...own }, { ...incremental, ...statistics }).verdict;
const statesOf = (own: Partial<DaemonState>, statistics: Partial<StatisticsState> = {}) =>
  toStatus({ ...daemon, ...own }, { ...incremental, ...statistics }).jobs;

test('figures refreshed yesterday are current as of the last check', () => {
  expect(verdictOf({})).toEqual({
    kind: 'fresh',
    level: 'good',
    notReady: null,
    sentence: 'All statistics are exact as of 2026-03-01 10:42 UTC.',
    details: ['Nothing is pending. The next run is at 2026-03-01 11:00 UTC.'],
    checkedAt: '2026-03-01T10:42:00.003Z',
    facts: [],
    steps: [],
  });
  expect(statesOf({}).map(({ state }) => state)).toEqual(['fresh', 'fresh', 'fresh']);
});

test('in the legacy state a skip does not make the figures current', () => {
  const jobs = daemon.jobs.map((one) => skippedFor('declined', one));
  expect(verdictOf({ jobs }, legacy).sentence).toBe(
    'All statistics were less than an hour old when they were last checked.',
  );
  expect(statesOf({ jobs }, legacy).map(({ dataAsOf }) => dataAsOf)).toEqual([null, null, null]);
});

test('in the legacy state a job that ran elsewhere does not prove current figures', () => {
  const jobs = [skippedFor('busy'), ...otherJobs.map((one) => skippedFor('declined', one))];
  expect(verdictOf({ jobs }, legacy)).toMatchObject({
    level: 'good',
    sentence:
      'update_counts ran elsewhere when last checked; how old its figures are is not known.',
  });
});

test('pending changes are no problem: the next run folds them', () => {
  expect(verdictOf({}, { pendingChanges: 1_234 })).toMatchObject({
    level: 'good',
    details: [
      '1,234 changes since then will be in the figures after the run at 2026-03-01 11:00 UTC.',
    ],
  });
});

test('a recorded failure counts, even if this daemon has not seen it', () => {
  const [first = record(''), ...others] = incremental.jobs;
  const failed = {
    ...first,
    outcome: 'failed',
    reason: 'disk full',
    lastCheck: '2026-03-01T10:42:10.000Z',
    dataAsOf: refreshed,
    consecutiveFailures: 3,
    failingSince: '2026-03-01T08:42:10.000Z',
    pendingChanges: 2_184,
  };
  expect(verdictOf({}, { jobs: [failed, ...others] })).toEqual({
    kind: 'failing',
    level: 'bad',
    notReady: 'update_counts failed: disk full',
    sentence: 'Not updated since 2026-02-28 09:00 UTC: update_counts.',
    details: [
      'update_counts (3 times in a row): disk full. Its figures are as of 2026-02-28 09:00 UTC.',
      'The next try is at 2026-03-01 11:00 UTC. ' +
        'Fix the cause, then run `registry-stats refresh`.',
    ],
    checkedAt: '2026-03-01T10:42:00.003Z',
    facts: [
      { term: 'Cause', text: 'disk full' },
      { term: 'First failure', text: '2026-03-01 08:42 UTC, 3 runs in a row since' },
      { term: 'Figures of', text: '2026-02-28 09:00 UTC' },
      { term: 'Waiting', text: '2,184 changes; none is lost' },
      { term: 'Next attempt', text: '2026-03-01 11:00 UTC' },
    ],
    steps: [
      { text: 'Fix the cause.', command: null },
      { text: 'Refresh now:', command: 'registry-stats refresh update_counts' },
    ],
  });
});

test.each([
  ['seen by the daemon', [skippedFor('inexact'), ...otherJobs], incremental.jobs],
  [
    'on record, where the details are the reason',
    [{ ...counts, lastRun: null, lastSuccess: null }, ...otherJobs],
    incremental.jobs.map((one) => ({ ...one, reason: one.job === names[0] ? 'a view: gone' : '' })),
  ],
])(
  'a job skipped as inexact cannot run, and the verdict shows the reason: %s',
  (_, jobs, records) => {
    const verdict = verdictOf({ jobs }, { jobs: records });
    expect(verdict).toMatchObject({
      level: 'bad',
      sentence: expect.stringContaining('update_counts') as string,
      notReady: expect.stringContaining('update_counts cannot run: ') as string,
    });
    expect(verdict.details[0]).toMatch(/^update_counts: (inexact|a view: gone)\.$/);
  },
);

test('maintenance, a first run and a table to rebuild have the level wait', () => {
  expect(verdictOf({ isMaintenance: true })).toMatchObject({
    level: 'wait',
    notReady: null,
    sentence: 'MAINTENANCE_MODE is true: nothing is refreshed.',
  });
  const jobs = daemon.jobs.map((one) => ({ ...one, lastRun: null, lastSuccess: null }));
  expect(verdictOf({ jobs }, { jobs: [] })).toMatchObject({
    level: 'wait',
    notReady: 'first run of update_counts not finished',
    sentence: 'The first run is not finished.',
  });
  const inexact = [{ name: 'generic_files', reason: 'truncated', isRepairable: true }];
  expect(verdictOf({}, { inexact })).toMatchObject({
    level: 'wait',
    notReady: null,
    sentence: 'generic_files must be repaired.',
  });
});

test('a daemon is ready after it has run each job itself', () => {
  expect(verdictOf({ nextRun: null }).notReady).toBe('starting');
  expect(
    verdictOf({ jobs: [counts, ...otherJobs.map((one) => ({ ...one, lastRun: null }))] }).notReady,
  ).toBe('first run of update_current_deposit_stats not finished');
});

test('a problem that no run repairs is bad, even if the last run refreshed the rest', () => {
  const inexact = [{ name: 'work_items', reason: 'a column is gone', isRepairable: false }];
  expect(verdictOf({}, { inexact })).toMatchObject({
    level: 'bad',
    notReady: 'work_items: a column is gone',
    details: ['work_items: a column is gone.'],
  });
});

test('after drift the figures are never called correct', () => {
  const lastVerification = { finishedAt: checked, differences: 2 };
  expect(verdictOf({}, { lastVerification })).toMatchObject({
    level: 'bad',
    notReady: 'drift: 2 figures differ from the tables',
    sentence: 'Drift: 2 figures differ from the tables.',
  });
  expect(verdictOf({}, { lastVerification: { ...lastVerification, differences: 0 } }).level).toBe(
    'good',
  );
});

test('during a database outage the verdict is the outage', () => {
  const away = 'the database is unreachable or read-only';
  expect(verdictOf({ isDatabaseDown: true })).toMatchObject({ level: 'bad', notReady: away });
  expect(verdictOf({}, { mode: 'unknown', problem: 'no answer', jobs: [] })).toMatchObject({
    level: 'bad',
    notReady: 'no answer',
    details: ['Found: no answer.', expect.any(String) as string],
  });
});

const blocker = {
  pid: 48_213,
  user: 'kcampbell',
  application: 'psql',
  address: '10.0.3.17',
  state: 'idle in transaction',
  since: '2026-03-01T10:19:00.000Z',
  query: 'lock table generic_file_counts in exclusive mode',
  lockOn: 'generic_file_counts',
  waitingSince: '2026-03-01T10:41:00.000Z',
};

test('a run that waits for a lock names the session that holds it, and is no failure yet', () => {
  const verdict = verdictOf({}, { blocker });
  expect(verdict).toMatchObject({
    kind: 'blocked',
    level: 'wait',
    notReady: null,
    sentence: 'A run has waited for a lock since 2026-03-01 10:41 UTC.',
    details: [
      'Process 48213 of kcampbell holds a lock on generic_file_counts. ' +
        'The run continues as soon as the lock is free.',
    ],
  });
  expect(verdict.facts).toContainEqual({
    term: 'Who blocks',
    text: 'kcampbell with psql from 10.0.3.17, process 48213',
  });
  expect(verdict.steps.at(-1)?.command).toBe('select pg_terminate_backend(48213);');
  expect(verdictOf({}, { blocker: { ...blocker, waitingSince: null } }).kind).toBe('fresh');
});

test('a failure for a missing right names the script that grants it', () => {
  const [first = record(''), ...others] = incremental.jobs;
  const failed = {
    ...first,
    outcome: 'failed',
    reason: 'permission denied for view work_item_counts (42501)',
    lastCheck: '2026-03-01T10:42:10.000Z',
    consecutiveFailures: 1,
  };
  const { steps } = verdictOf({}, { jobs: [failed, ...others] });
  expect(steps.map(({ command }) => command)).toEqual([
    'psql -f sql/roles.sql',
    'registry-stats refresh update_counts',
  ]);
});

test('an outage and a maintenance show since when they last', () => {
  const since = '2026-03-01T10:30:00.000Z';
  const outage = { isDatabaseDown: true, databaseDownSince: since, databaseProblem: 'refused' };
  expect(verdictOf(outage)).toMatchObject({
    kind: 'database away',
    sentence: 'The database has been unreachable or read-only since 2026-03-01 10:30 UTC.',
    facts: [
      { term: 'Found', text: 'refused' },
      { term: 'Database', text: 'registry on staging-db' },
      { term: 'Since', text: '2026-03-01 10:30 UTC' },
      {},
    ],
  });
  const { facts, steps } = verdictOf({ isMaintenance: true, maintenanceSince: since });
  expect(facts[0]).toEqual({ term: 'Since', text: '2026-03-01 10:30 UTC' });
  expect(steps[0]?.command).toBe('kill -HUP 42');
});
