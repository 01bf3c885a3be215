import type { Event, Observer } from './events.js';
import type { RunReport } from '../jobs/outcome.js';
import { describeOutcome } from '../jobs/outcome.js';
import { failedForServer } from './run-job.js';
import type { Logger } from '../log.js';
import { legacyHint } from '../status/overview.js';
import type { Comparison } from '../statistics/verify.js';
import { describeFailure, isReadOnly, isRefused } from '../db/sqlstate.js';

/** Writes every event to the log, in one line each. */
export function logEvents(log: Logger): Observer {
  return (event: Event) => {
    switch (event.type) {
      case 'daemon-started':
        log.info(
          { pid: event.pid, statusUrl: event.statusUrl, nextRun: event.nextRun },
          `started; to refresh now: kill -USR2 ${event.pid}`,
        );
        return;
      case 'legacy-state':
        log.info(legacyHint);
        return;
      case 'daemon-stopping':
        log.info({ signal: event.signal }, `${event.signal}: stopping, no new run`);
        return;
      case 'daemon-stopped':
        log.info('stopped');
        return;
      case 'settings-reloaded':
        log.info({ changed: event.changed }, `settings reloaded, ${event.changed.length} changed`);
        return;
      case 'settings-refused': {
        const reason = describeFailure(event.error);
        log.error({ reason }, `settings not reloaded, the old ones stay: ${reason}`);
        return;
      }
      case 'refresh-requested':
        log.info(
          { trigger: event.request.trigger, jobs: event.request.jobs },
          `refresh requested (${event.request.trigger})`,
        );
        return;
      case 'refresh-coalesced':
        log.info({ trigger: event.trigger }, 'a run is in progress: one more will follow it');
        return;
      case 'run-started':
        log.debug({ job: event.job.name, trigger: event.trigger }, `${event.job.name} started`);
        return;
      case 'run-retried': {
        const { job, retriesLeft } = event;
        const reason = describeFailure(event.error);
        log.debug({ job, reason, retriesLeft }, `${job} will be tried again: ${reason}`);
        return;
      }
      case 'run-finished':
        logRun(log, event.report, event.nextRun);
        return;
      case 'verified':
        logVerified(log, event.comparison, event.durationMs);
        return;
      case 'verify-failed': {
        const reason = describeFailure(event.error);
        log.error({ reason }, `the statistics could not be verified: ${reason}`);
        return;
      }
      case 'database-down': {
        const reason = describeFailure(event.error);
        const state = stateOf(event.error);
        log.error({ reason }, `the database ${state}; runs wait until it is back: ${reason}`);
        return;
      }
      case 'database-up': {
        const downForMs = Math.round(event.downForMs);
        log.info({ downForMs }, `the database is back after ${(downForMs / 1000).toFixed(1)} s`);
        return;
      }
    }
  };
}

function stateOf(error: unknown): string {
  if (isReadOnly(error)) return 'takes no writes';
  return isRefused(error) ? 'refuses connections' : 'does not answer';
}

function logRun(log: Logger, report: RunReport, nextRun: Date | undefined): void {
  const { job, trigger, result } = report;
  const durationMs = Math.round(report.durationMs);
  const why = describeOutcome(result);
  const fields = { job, trigger, outcome: result.outcome, reason: why, durationMs, nextRun };
  const message = `${job} ${result.outcome} in ${durationMs} ms: ${why}`;
  // What the database lacks is the one error of an outage; it is told by the monitor.
  if (failedForServer(report)) log.warn(fields, message);
  else if (result.outcome === 'failed') log.error(fields, message);
  else if (result.outcome === 'skipped' && result.reason === 'inexact') log.warn(fields, message);
  else if (result.outcome === 'skipped' && result.reason === 'database-down')
    log.debug(fields, message);
  else log.info(fields, message);
}

/** How many differences a log line lists; `registry-stats verify` gives more. */
const listedDifferences = 20;

function logVerified(log: Logger, { count, differences }: Comparison, duration: number): void {
  const durationMs = Math.round(duration);
  if (count === 0) {
    log.info({ durationMs }, `verified in ${durationMs} ms: the statistics equal the tables`);
    return;
  }
  log.error(
    {
      durationMs,
      count,
      differences: differences.slice(0, listedDifferences),
    },
    `drift: ${count} figures differ from the tables; run \`registry-stats verify --repair\``,
  );
}
