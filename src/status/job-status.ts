import { goodSkips, isSkipReason, skipReasons } from '../jobs/outcome.js';
import type { JobHistory, JobRecord, JobStatus } from './model.js';

/** Combines what a daemon has seen of a job with what the database has on record of it. */
export function combineJob(own: JobHistory, record: JobRecord | undefined): JobStatus {
  const latest = newerOf(own, record);
  const { lastRun } = own;
  const isRefreshed = lastRun?.outcome === 'refreshed';
  return {
    job: own.job,
    title: own.title,
    subject: own.subject,
    isRunning: own.isRunning,
    lastRun,
    lastSuccess: own.lastSuccess,
    state: own.isRunning ? 'running' : stateOf(latest),
    ...latest,
    failingSince:
      latest.consecutiveFailures === 0 ? null : (record?.failingSince ?? own.failingSince),
    lastCheck: laterOf(record?.lastCheck, hasChecked(lastRun) ? endOf(own) : own.lastSuccess),
    lastRefresh: record?.lastRefresh ?? (isRefreshed ? endOf(own) : null),
    dataAsOf: record === undefined ? startOfProof(own) : record.dataAsOf,
    pendingChanges: record?.pendingChanges ?? null,
  };
}

type Latest = Pick<JobStatus, 'outcome' | 'reason' | 'skipReason' | 'consecutiveFailures'>;

/** Runs of a command or another daemon are only recorded. A lost connection is not recorded. */
function newerOf(own: JobHistory, record: JobRecord | undefined): Latest {
  const { lastRun } = own;
  const end = endOf(own);
  const isOnRecord = record?.lastCheck != null && (end === null || record.lastCheck > end);
  if (isOnRecord || lastRun === null) {
    const reason = record?.reason ?? '';
    // The record holds the skip reason; for inexact it holds the details.
    const skipReason = isSkipReason(reason) ? reason : 'inexact';
    return {
      outcome: record?.outcome ?? null,
      reason: isSkipReason(reason) ? skipReasons[reason] : reason,
      skipReason: record?.outcome === 'skipped' ? skipReason : null,
      consecutiveFailures: record?.consecutiveFailures ?? 0,
    };
  }
  const { outcome, reason, skipReason } = lastRun;
  return { outcome, reason, skipReason, consecutiveFailures: own.consecutiveFailures };
}

function stateOf({ outcome, skipReason, consecutiveFailures }: Latest): JobStatus['state'] {
  if (outcome === null) return 'not run yet';
  if (outcome === 'failed' || consecutiveFailures > 0) return 'failing';
  if (outcome === 'cancelled') return 'stopped';
  if (outcome === 'skipped' && !goodSkips.has(skipReason)) return 'held back';
  return 'fresh';
}

/** A run that failed, or was kept from the database, has checked nothing. */
function hasChecked(lastRun: JobHistory['lastRun']): boolean {
  if (lastRun?.outcome === 'refreshed') return true;
  return (
    lastRun?.outcome === 'skipped' &&
    !['maintenance', 'database-down'].includes(lastRun.skipReason ?? '')
  );
}

function endOf({ lastRun }: JobHistory): string | null {
  if (lastRun === null) return null;
  return new Date(Date.parse(lastRun.startedAt) + lastRun.durationMs).toISOString();
}

/** Without a record, a skip proves only that the figures were young, except of the history. */
function startOfProof({ lastRun }: JobHistory): string | null {
  if (lastRun === null) return null;
  const isProof = lastRun.outcome === 'refreshed' || lastRun.skipReason === 'complete';
  return isProof ? lastRun.startedAt : null;
}

/** ISO 8601 in UTC sorts as text. */
function laterOf(one: string | null | undefined, other: string | null): string | null {
  if (one == null || other === null) return one ?? other;
  return one > other ? one : other;
}
