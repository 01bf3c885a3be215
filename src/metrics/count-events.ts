import type { Observer } from '../daemon/events.js';
import type { RunReport } from '../jobs/outcome.js';
import type { MetricSet } from './metric-set.js';

/** Returns an observer that counts events. */
export function countEvents(metrics: MetricSet): Observer {
  return (event) => {
    if (event.type === 'run-finished') countRun(metrics, event.report);
    if (event.type === 'run-retried') metrics.retries.inc({ job_name: event.job });
    if (event.type === 'verified') countVerification(metrics, event.comparison.count);
    if (event.type === 'verify-missed') metrics.verifications.inc({ result: 'missed' });
    if (event.type === 'verify-failed') metrics.verifications.inc({ result: 'failed' });
  };
}

function countRun(metrics: MetricSet, { job, result, durationMs }: RunReport): void {
  metrics.runs.inc({ job_name: job, outcome: result.outcome });
  if (result.outcome === 'skipped') metrics.skips.inc({ job_name: job, reason: result.reason });
  else metrics.runDuration.observe({ job_name: job }, durationMs / 1000);
  if (result.outcome === 'refreshed' && result.changesFolded !== undefined) {
    metrics.changesFolded.inc({ job_name: job }, result.changesFolded);
  }
}

function countVerification(metrics: MetricSet, differences: number): void {
  metrics.verifications.inc({ result: differences === 0 ? 'equal' : 'drift' });
}
