import type { Event, Observer } from './events.js';
import type { RunReport } from '../jobs/outcome.js';
import { describeOutcome, describeRun, legacyHint } from '../jobs/outcome.js';
import { failedForServer } from './run-job.js';
import type { Logger } from '../log.js';
import type { Comparison } from '../statistics/verify.js';
import { describeReplica } from '../statistics/verify-on-replica.js';
import { describeFailure, isReadOnly, isRefused } from '../db/sqlstate.js';

/**
 * Logs every event. The field `event` has its type, for programs: the alarms of deploy/ecs.yaml
 * depend on it, and docs/operations.md lists the lines.
 */
export function logEvents(log: Logger): Observer {
  return (event) => {
    const describe = lines[event.type] as (event: Event) => Line;
    const { level, message, ...fields } = describe(event);
    log[level]({ event: event.type, ...fields }, message);
  };
}

/** A line of the log, with its other fields. */
interface Line {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

type Describe<Type extends Event['type']> = (
  event: Extract<Event, { readonly type: Type }>,
) => Line;

const lines: { readonly [Type in Event['type']]: Describe<Type> } = {
  'daemon-started': ({ pid, statusUrl, nextRun }) => {
    const message = `started; status page: ${statusUrl}`;
    return { level: 'info', message, pid, statusUrl, nextRun };
  },
  'legacy-state': () => ({ level: 'info', message: legacyHint }),
  'daemon-stopping': ({ signal }) => {
    return { level: 'info', message: `${signal}: stopping, no new run`, signal };
  },
  'daemon-stopped': () => ({ level: 'info', message: 'stopped' }),
  'settings-reloaded': ({ changed }) => {
    return { level: 'info', message: `settings reloaded, ${changed.length} changed`, changed };
  },
  'settings-refused': ({ error }) => failure('settings not reloaded, the old ones stay', error),
  'refresh-requested': ({ request: { trigger, jobs } }) => {
    const message = trigger === 'start' ? 'first refresh' : `refresh requested (${trigger})`;
    return { level: 'info', message, trigger, jobs };
  },
  'refresh-coalesced': ({ trigger }) => {
    return { level: 'info', message: 'a run is in progress: one more will follow it', trigger };
  },
  'run-started': ({ job: { name: job }, trigger }) => {
    return { level: 'debug', message: `${job} started`, job, trigger };
  },
  'run-retried': ({ job, error, retriesLeft }) => {
    const reason = describeFailure(error);
    const message = `${job} will be tried again: ${reason}`;
    return { level: 'debug', message, job, reason, retriesLeft };
  },
  'run-finished': ({ report, nextRun }) => runLine(report, nextRun),
  verified: ({ comparison, durationMs }) => verificationLine(comparison, durationMs),
  'verify-failed': ({ error }) => failure('the statistics could not be verified', error),
  'verify-missed': ({ error }) => {
    const reason = `${describeFailure(error)}; hint: ${error.hint ?? 'none'}`;
    const message = `the statistics could not be verified on the replica: ${reason}`;
    return { level: 'warn', message, reason };
  },
  'verification-overdue': ({ since }) => {
    const day = since.toISOString().slice(0, 10);
    const message = `no verification since ${day}; run \`registry-stats verify\``;
    return { level: 'warn', message, since };
  },
  'database-down': ({ error }) => {
    return failure(`the database ${stateOf(error)}; runs wait until it is back`, error);
  },
  'database-up': (event) => {
    const downForMs = Math.round(event.downForMs);
    const message = `the database is back after ${(downForMs / 1000).toFixed(1)} s`;
    return { level: 'info', message, downForMs };
  },
  notified: ({ subject, state }) => {
    return { level: 'info', message: `notification sent: ${subject} is ${state}`, subject, state };
  },
  'notify-failed': ({ subject, state, reason }) => {
    const message = `notification lost: ${subject} is ${state}: ${reason}`;
    return { level: 'warn', message, subject, state, reason };
  },
};

function failure(what: string, error: unknown): Line {
  const reason = describeFailure(error);
  return { level: 'error', message: `${what}: ${reason}`, reason };
}

/** Describes an outage in a few words. */
export function stateOf(error: unknown): string {
  if (isReadOnly(error)) return 'takes no writes';
  return isRefused(error) ? 'refuses connections' : 'does not respond';
}

function runLine(report: RunReport, nextRun: Date | undefined): Line {
  const { job, trigger, result } = report;
  const durationMs = Math.round(report.durationMs);
  const fields = {
    job,
    trigger,
    outcome: result.outcome,
    reason: describeOutcome(result),
    ...(result.outcome === 'skipped' && { skipReason: result.reason }),
    ...(result.outcome === 'refreshed' && { changes: result.changes }),
    durationMs,
    nextRun,
  };
  return { level: levelOf(report), message: describeRun(report), ...fields };
}

function levelOf(report: RunReport): Line['level'] {
  const { result } = report;
  // An outage has one error line, which the monitor's event writes.
  if (failedForServer(report.result)) return 'warn';
  if (result.outcome === 'failed') return 'error';
  if (result.outcome !== 'skipped') return 'info';
  if (result.reason === 'inexact') return 'warn';
  return result.reason === 'database-down' ? 'debug' : 'info';
}

/** `registry-stats verify` prints them all. */
const listedDifferences = 20;

function verificationLine(comparison: Comparison, duration: number): Line {
  const { count, differences, replica } = comparison;
  const durationMs = Math.round(duration);
  const fields = {
    durationMs,
    ...(replica && { replica: replica.server, lagMs: Math.round(replica.lagMs) }),
  };
  if (count === 0) {
    const where = replica === undefined ? '' : ` ${describeReplica(replica)}`;
    const message = `verified in ${durationMs} ms${where}: every current figure matches the tables`;
    return { level: 'info', message, count, ...fields };
  }
  const message = `drift: ${count} figures differ from the tables; run \`registry-stats verify --repair\``;
  const listed = differences.slice(0, listedDifferences);
  return { level: 'error', message, count, ...fields, differences: listed };
}
