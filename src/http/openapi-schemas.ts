import { jobNames } from '../jobs/job.js';
import { skipReasons } from '../jobs/outcome.js';
import type {
  CountFigure,
  DepositFigure,
  ErrorBody,
  Figures,
  JobRecord,
  JobStatus,
  LastRun,
  Problem,
  RunRecord,
  RunsPage,
  Series,
  StatisticsState,
  Status,
  Verdict,
  Verification,
} from '../status/model.js';

export type Schema = Readonly<Record<string, unknown>>;

/** Returns the schema of an object with exactly the fields of the type, all required. */
function object<Fields>(properties: Record<keyof Fields & string, Schema>): Schema {
  return { type: 'object', required: Object.keys(properties), properties };
}

function nullable(schema: Schema): Schema {
  return { oneOf: [schema, { type: 'null' }] };
}

function list(items: Schema): Schema {
  return { type: 'array', items };
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function described(description: string, schema: Schema): Schema {
  return { description, ...schema };
}

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const amount: Schema = { type: 'number', minimum: 0 };
const version = described('Changes when a field changes its meaning or is removed.', { const: 1 });

const time: Schema = { type: 'string', format: 'date-time' };
export const job: Schema = { type: 'string', enum: jobNames };

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
    isMaintenance: described('Whether MAINTENANCE_MODE is true.', flag),
    isDatabaseDown: described('Whether runs wait for the database.', flag),
    nextRun: described('By REFRESH_SCHEDULE; null while the daemon starts.', nullable(time)),
    jobs: described('What this daemon did, and what is on record.', list(ref('Job'))),
    answeredAt: described("The daemon's clock.", time),
    statistics: described('What the database has on record.', ref('StatisticsState')),
    verdict: ref('Verdict'),
  }),
  Verdict: object<Verdict>({
    level: { type: 'string', enum: ['good', 'wait', 'bad'] },
    notReady: described('Why /ready responds with 503; null where it is 200.', nullable(text)),
    sentence: described('For people.', text),
    details: described('More facts, or what to do.', list(text)),
    checkedAt: described('The oldest last check of all jobs.', nullable(time)),
  }),
  Job: object<JobStatus>({
    job,
    subject: described('What the job keeps fresh.', text),
    isRunning: flag,
    lastRun: nullable(ref('LastRun')),
    lastSuccess: described(
      'End of the last run that refreshed or found everything fresh.',
      nullable(time),
    ),
    consecutiveFailures: count,
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

const figureSchemas: Readonly<Record<string, Schema>> = {
  Statistics: object<Figures>({
    version,
    history: ref('History'),
    counts: list(ref('Count')),
    deposits: ref('Deposits'),
  }),
  History: object<Figures['history']>({
    months: described('First days of months, ascending.', list({ type: 'string', format: 'date' })),
    byStorageOption: list(ref('Series')),
    byInstitution: list(ref('Series')),
  }),
  Series: object<Series>({
    name: text,
    bytes: described('Stored bytes, one number per month.', list(amount)),
  }),
  Count: object<CountFigure>({
    subject: { type: 'string', enum: ['events', 'objects', 'files', 'work items'] },
    kind: described('State, event type or action; null for the total.', nullable(text)),
    rows: count,
  }),
  Deposits: object<Figures['deposits']>({
    byStorageOption: list(ref('Deposit')),
    byInstitution: described('The 100 largest.', list(ref('Deposit'))),
  }),
  Deposit: object<DepositFigure>({
    name: text,
    objects: count,
    files: count,
    bytes: amount,
    monthlyCost: described('In dollars; null for a total of several prices.', nullable(amount)),
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
