import type { JobAnswer, StatusAnswer } from '../answers.js';
import type { JobRecordAnswer } from '../../status/answers.js';

/** One job, from what the daemon did since its start and what the database has on record. */
export interface JobState {
  readonly job: string;
  readonly subject: string;
  readonly state: 'fresh' | 'running' | 'failing' | 'held back' | 'not run yet' | 'stopped';
  readonly outcome: string | null;
  readonly reason: string;
  readonly skipReason: string | null;
  readonly failures: number;
  readonly lastCheck: string | null;
  readonly lastRefresh: string | null;
  readonly dataAsOf: string | null;
  /** null where the database does not count them. */
  readonly pendingChanges: number | null;
}

/** Skipped for one of these: there was nothing to do, or somebody else does it. */
const goodSkips: ReadonlySet<string | null> = new Set([
  'unchanged',
  'complete',
  'busy',
  'declined',
]);

export function jobStates({ jobs, statistics }: StatusAnswer): JobState[] {
  return jobs.map((job) =>
    combine(
      job,
      statistics.jobs.find((record) => record.job === job.job),
    ),
  );
}

/** Then what is shown of the jobs is the last that is known. */
export function isDatabaseAway({ isDatabaseDown, statistics }: StatusAnswer): boolean {
  return isDatabaseDown || statistics.mode === 'unknown';
}

/** The state in words; whether it still holds, nobody can tell while the database is away. */
export function describeState({ state, failures }: JobState, isAway: boolean): string {
  const words = state === 'failing' && failures > 1 ? `failing, ${failures} times in a row` : state;
  return isAway ? `last known: ${words}` : words;
}

function combine(job: JobAnswer, record: JobRecordAnswer | undefined): JobState {
  const latest = newerOf(job, record);
  return {
    job: job.job,
    subject: job.subject,
    state: job.isRunning ? 'running' : stateOf(latest),
    ...latest,
    lastCheck: record?.lastCheck ?? endOf(job),
    lastRefresh: record?.lastRefresh ?? (isRefresh(job) ? endOf(job) : null),
    dataAsOf: record === undefined ? startOfRefresh(job) : record.dataAsOf,
    pendingChanges: record?.pendingChanges ?? null,
  };
}

type Latest = Pick<JobState, 'outcome' | 'reason' | 'skipReason' | 'failures'>;

/** A run by command or of another daemon is on record only; a lost connection is not. */
function newerOf(job: JobAnswer, record: JobRecordAnswer | undefined): Latest {
  const { lastRun } = job;
  const isOnRecord =
    record?.lastCheck != null && (endOf(job) === null || record.lastCheck > (endOf(job) ?? ''));
  if (isOnRecord || lastRun === null) {
    return {
      outcome: record?.outcome ?? null,
      reason: record?.reason ?? '',
      skipReason: record?.outcome === 'skipped' ? record.reason : null,
      failures: record?.consecutiveFailures ?? 0,
    };
  }
  const { outcome, reason, skipReason } = lastRun;
  return { outcome, reason, skipReason, failures: job.consecutiveFailures };
}

function stateOf({ outcome, skipReason, failures }: Latest): JobState['state'] {
  if (outcome === null) return 'not run yet';
  if (outcome === 'failed' || outcome === 'crashed' || failures > 0) return 'failing';
  if (outcome === 'cancelled') return 'stopped';
  if (outcome === 'skipped' && !goodSkips.has(skipReason)) return 'held back';
  return 'fresh';
}

function endOf({ lastRun }: JobAnswer): string | null {
  if (lastRun === null) return null;
  return new Date(Date.parse(lastRun.startedAt) + lastRun.durationMs).toISOString();
}

/** Without a record: a skip proves nothing of the figures but that they were young. */
function startOfRefresh(job: JobAnswer): string | null {
  const isProven = isRefresh(job) || job.lastRun?.skipReason === 'complete';
  return isProven ? (job.lastRun?.startedAt ?? null) : null;
}

function isRefresh({ lastRun }: JobAnswer): boolean {
  return lastRun?.outcome === 'refreshed';
}
