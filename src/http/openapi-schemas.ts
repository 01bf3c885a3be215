import { jobNames } from '../jobs/job.js';
import { skipReasons } from '../jobs/outcome.js';
import type {
  Blocker,
  ErrorBody,
  Fact,
  Installation,
  JobRecord,
  JobStatus,
  LastRun,
  Problem,
  RunRecord,
  RunsPage,
  StatisticsState,
  Status,
  Step,
  Verdict,
  VerdictKind,
  Verification,
} from '../status/model.js';
import { figureSchemas } from './openapi-figures.js';
import {
  object,
  nullable,
  list,
  ref,
  described,
  text,
  flag,
  count,
  version,
  time,
  type Schema,
} from './schema.js';

export const job: Schema = { type: 'string', enum: jobNames };

const verdictKinds: readonly VerdictKind[] = [
  'fresh',
  'legacy state',
  'first run',
  'maintenance',
  'blocked',
  'failing',
  'held back',
  'drift',
  'untrusted',
  'database away',
];

const triggers = ['start', 'schedule', 'signal', 'command', 'recovery'];
const outcomes = ['refreshed', 'skipped', 'failed', 'cancelled'];
const outcome: Schema = { type: 'string', enum: outcomes };

const skipReason = described(
  'Why a skipped run did nothing, for programs.',
  nullable({ type: 'string', enum: Object.keys(skipReasons) }),
);
const dataAsOf = described(
  'The figures include everything committed before this time.',
  nullable(time),
);

const statusSchemas: Readonly<Record<string, Schema>> = {
  Status: object<Status>({
    version,
    pid: count,
    startedAt: time,
    installation: ref('Installation'),
    isMaintenance: described('Whether MAINTENANCE_MODE is true.', flag),
    maintenanceSince: described('When this daemon first saw it.', nullable(time)),
    isDatabaseDown: described('Whether runs wait for the database.', flag),
    databaseDownSince: described('Begin of the outage.', nullable(time)),
    databaseProblem: described('Why the database cannot be used.', nullable(text)),
    nextRun: described('By REFRESH_SCHEDULE; null while the daemon starts.', nullable(time)),
    nextVerification: described('By VERIFY_SCHEDULE; null without one.', nullable(time)),
    jobs: described('What this daemon did, and what is on record.', list(ref('Job'))),
    answeredAt: described("The daemon's clock.", time),
    statistics: described('What the database has on record.', ref('StatisticsState')),
    verdict: ref('Verdict'),
  }),
  Installation: object<Installation>({
    programVersion: text,
    environment: described('APT_ENV.', text),
    databaseName: text,
    databaseHost: text,
  }),
  Verdict: object<Verdict>({
    kind: described('What decided, for programs.', { type: 'string', enum: verdictKinds }),
    level: { type: 'string', enum: ['good', 'wait', 'bad'] },
    notReady: described('Why /ready responds with 503; null where it is 200.', nullable(text)),
    sentence: described('For people.', text),
    details: described('More facts, or what to do.', list(text)),
    checkedAt: described('The oldest last check of all jobs.', nullable(time)),
    facts: described('What happened; empty where all is well.', list(ref('Fact'))),
    steps: described('What to do, in this order.', list(ref('Step'))),
  }),
  Fact: object<Fact>({ term: text, text }),
  Step: object<Step>({ text, command: described('A command to copy.', nullable(text)) }),
  Job: object<JobStatus>({
    job,
    title: described('A short name for people.', text),
    subject: described('What the job keeps fresh.', text),
    isRunning: flag,
    lastRun: nullable(ref('LastRun')),
    lastSuccess: described(
      'End of the last run that refreshed or found everything fresh.',
      nullable(time),
    ),
    consecutiveFailures: count,
    failingSince: described('Start of the first of these failures.', nullable(time)),
    state: {
      type: 'string',
      enum: ['fresh', 'running', 'failing', 'held back', 'not run yet', 'stopped'],
    },
    outcome: described('Null before the first run.', nullable(outcome)),
    reason: described('For people.', text),
    skipReason,
    lastCheck: described('The last time a run looked for changes.', nullable(time)),
    lastRefresh: described('The last time figures changed.', nullable(time)),
    dataAsOf,
    pendingChanges: described("Deltas of this job's tables; null if unknown.", nullable(count)),
  }),
  LastRun: object<LastRun>({
    trigger: { type: 'string', enum: triggers },
    outcome: { type: 'string', enum: outcomes },
    reason: described('For people.', text),
    skipReason,
    startedAt: time,
    durationMs: count,
  }),
  StatisticsState: object<StatisticsState>({
    mode: described('plain is the legacy state; unknown: the database did not respond.', {
      type: 'string',
      enum: ['incremental', 'plain', 'unknown'],
    }),
    problem: described('Why the mode is unknown.', nullable(text)),
    pendingChanges: described('Deltas, counted up to a million.', nullable(count)),
    inexact: described('Tables and views that are untrusted.', list(ref('Untrusted'))),
    jobs: list(ref('JobRecord')),
    lastVerification: described('The last one on record.', nullable(ref('Verification'))),
    blocker: described('The session that keeps a run from a lock.', nullable(ref('Blocker'))),
  }),
  Blocker: object<Blocker>({
    pid: count,
    user: nullable(text),
    application: nullable(text),
    address: nullable(text),
    state: nullable(text),
    since: described('Begin of its transaction.', nullable(time)),
    query: described('Its last query, shortened.', nullable(text)),
    lockOn: described('The table or view.', nullable(text)),
    waitingSince: described('Null where a run failed instead of waiting.', nullable(time)),
  }),
  Verification: object<Verification>({ finishedAt: time, differences: count }),
  Untrusted: object<Problem>({
    name: text,
    reason: text,
    isRepairable: described('Whether the next run repairs it.', flag),
  }),
  JobRecord: object<JobRecord>({
    job,
    outcome: nullable(outcome),
    reason: nullable(text),
    lastCheck: described('The last time a run looked for changes.', nullable(time)),
    lastRefresh: described('The last time figures changed.', nullable(time)),
    dataAsOf,
    consecutiveFailures: count,
    failingSince: described('Start of the first of these failures.', nullable(time)),
    pendingChanges: described("Deltas of this job's tables.", count),
  }),
};

const runSchemas: Readonly<Record<string, Schema>> = {
  Runs: object<RunsPage>({
    version,
    isRecorded: described('False in the legacy state, which has no records.', flag),
    runs: described('Newest first.', list(ref('Run'))),
    olderThan: described('For `before`; null where there are no older runs.', nullable(text)),
  }),
  Run: object<RunRecord>({
    id: text,
    job,
    trigger: { type: 'string', enum: [...triggers, 'sql'] },
    startedAt: time,
    finishedAt: described('Null while it runs.', nullable(time)),
    durationMs: nullable(count),
    outcome: described(
      'Null while it runs.',
      nullable({ type: 'string', enum: [...outcomes, 'crashed'] }),
    ),
    reason: nullable(text),
    changes: described(
      'Changes that the refreshed views show for the first time; null for other runs.',
      nullable(count),
    ),
    viewsRefreshed: list(text),
    dataAsOf: nullable(time),
  }),
};

/** Every schema of `components.schemas`. */
export const schemas: Readonly<Record<string, Schema>> = {
  ...statusSchemas,
  ...runSchemas,
  ...figureSchemas,
  Live: object<{ status: string }>({ status: { const: 'live' } }),
  Ready: object<{ status: string }>({ status: { const: 'ready' } }),
  NotReady: object<{ status: string; reason: string }>({
    status: { const: 'not ready' },
    reason: text,
  }),
  Error: {
    ...object<ErrorBody>({ error: text, hint: described('What to do.', nullable(text)) }),
    required: ['error'],
  },
};
