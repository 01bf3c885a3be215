import type { Event, Observer } from './events.js';
import type { RunReport } from '../jobs/outcome.js';
import { describeOutcome, describeRun, legacyHint } from '../jobs/outcome.js';
import { failedForServer } from './run-job.js';
import type { Logger } from '../log.js';
import type { Comparison } from '../statistics/verify.js';
import { describeReplica } from '../statistics/verify-on-replica.js';
import { describeFailure, isReadOnly, isRefused } from '../db/sqlstate.js';

export function logEvents(log: Logger): Observer {
  return (event) => {
    const write = writers[event.type] as (log: Logger, event: Event) => void;
    write(log, event);
  };
}

type Writer<Type extends Event['type']> = (
  log: Logger,
  event: Extract<Event, { readonly type: Type }>,
) => void;

const writers: { readonly [Type in Event['type']]: Writer<Type> } = {
  'daemon-started': (log, { pid, statusUrl, nextRun }) => {
    log.info({ pid, statusUrl, nextRun }, `started; status page: ${statusUrl}`);
  },
  'legacy-state': (log) => {
    log.info(legacyHint);
  },
  'daemon-stopping': (log, { signal }) => {
    log.info({ signal }, `${signal}: stopping, no new run`);
  },
  'daemon-stopped': (log) => {
    log.info('stopped');
  },
  'settings-reloaded': (log, { changed }) => {
    log.info({ changed }, `settings reloaded, ${changed.length} changed`);
  },
  'settings-refused': (log, { error }) => {
    const reason = describeFailure(error);
    log.error({ reason }, `settings not reloaded, the old ones stay: ${reason}`);
  },
  'refresh-requested': (log, { request: { trigger, jobs } }) => {
    log.info(
      { trigger, jobs },
      trigger === 'start' ? 'first refresh' : `refresh requested (${trigger})`,
    );
  },
  'refresh-coalesced': (log, { trigger }) => {
    log.info({ trigger }, 'a run is in progress: one more will follow it');
  },
  'run-started': (log, { job: { name: job }, trigger }) => {
    log.debug({ job, trigger }, `${job} started`);
  },
  'run-retried': (log, { job, error, retriesLeft }) => {
    const reason = describeFailure(error);
    log.debug({ job, reason, retriesLeft }, `${job} will be tried again: ${reason}`);
  },
  'run-finished': (log, { report, nextRun }) => {
    logRun(log, report, nextRun);
  },
  verified: (log, { comparison, durationMs }) => {
    logVerified(log, comparison, durationMs);
  },
  'verify-failed': (log, { error }) => {
    const reason = describeFailure(error);
    log.error({ reason }, `the statistics could not be verified: ${reason}`);
  },
  'verify-missed': (log, { error }) => {
    const reason = `${describeFailure(error)}; hint: ${error.hint ?? 'none'}`;
    log.warn({ reason }, `the statistics could not be verified on the replica: ${reason}`);
  },
  'database-down': (log, { error }) => {
    const reason = describeFailure(error);
    log.error({ reason }, `the database ${stateOf(error)}; runs wait until it is back: ${reason}`);
  },
  'database-up': (log, event) => {
    const downForMs = Math.round(event.downForMs);
    log.info({ downForMs }, `the database is back after ${(downForMs / 1000).toFixed(1)} s`);
  },
};

function stateOf(error: unknown): string {
  if (isReadOnly(error)) return 'takes no writes';
  return isRefused(error) ? 'refuses connections' : 'does not respond';
}

function logRun(log: Logger, report: RunReport, nextRun: Date | undefined): void {
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
  const message = describeRun(report);
  // An outage has one error line, which the monitor's event writes.
  if (failedForServer(report)) log.warn(fields, message);
  else if (result.outcome === 'failed') log.error(fields, message);
  else if (result.outcome === 'skipped' && result.reason === 'inexact') log.warn(fields, message);
  else if (result.outcome === 'skipped' && result.reason === 'database-down')
    log.debug(fields, message);
  else log.info(fields, message);
}

/** `registry-stats verify` prints them all. */
const listedDifferences = 20;

function logVerified(log: Logger, comparison: Comparison, duration: number): void {
  const { count, differences, replica } = comparison;
  const durationMs = Math.round(duration);
  const fields = {
    durationMs,
    ...(replica && { replica: replica.server, lagMs: Math.round(replica.lagMs) }),
  };
  if (count === 0) {
    const where = replica === undefined ? '' : ` ${describeReplica(replica)}`;
    log.info(fields, `verified in ${durationMs} ms${where}: every figure matches the tables`);
    return;
  }
  log.error(
    {
      ...fields,
      count,
      differences: differences.slice(0, listedDifferences),
    },
    `drift: ${count} figures differ from the tables; run \`registry-stats verify --repair\``,
  );
}
