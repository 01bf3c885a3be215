import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { jobNames, jobs } from '../jobs/job.js';
import { skipReasons, type Outcome } from '../jobs/outcome.js';

export type MetricSet = ReturnType<typeof createMetricSet>;

/** How a verification ended, as a label. */
export const verificationResults = ['equal', 'drift', 'failed'] as const;

/**
 * Every metric, in a registry of its own. What can be counted is there at 0 from the start, so that
 * the first failure is an increase. The label is `job_name`: `job` is Prometheus's own, for targets.
 */
export function createMetricSet(version: string) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamedDefaults) registry.removeSingleMetric(name);
  const metrics = {
    registry,
    ...createRunMetrics(registry),
    ...createJobGauges(registry),
    ...createVerifyMetrics(registry),
    ...createStateGauges(registry),
  };
  startAtZero(metrics);
  metrics.buildInfo.set({ version, node_version: process.version }, 1);
  return metrics;
}

/** Gauges that end in `_total`; each has a twin by type that is named well, or is its sum. */
const misnamedDefaults = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

const outcomes = Object.keys({
  refreshed: true,
  skipped: true,
  failed: true,
  cancelled: true,
} satisfies Record<Outcome['outcome'], true>);

function createRunMetrics(registry: Registry) {
  const registers = [registry];
  const runs = new Counter({
    name: 'registry_stats_runs_total',
    help: 'Runs of a job that ended, by outcome.',
    labelNames: ['job_name', 'outcome'] as const,
    registers,
  });
  const skips = new Counter({
    name: 'registry_stats_skips_total',
    help: 'Runs of a job that were skipped, by reason.',
    labelNames: ['job_name', 'reason'] as const,
    registers,
  });
  const retries = new Counter({
    name: 'registry_stats_retries_total',
    help: 'Tries of a job that failed for a transient reason and were made again.',
    labelNames: ['job_name'] as const,
    registers,
  });
  const foldedDeltas = new Counter({
    name: 'registry_stats_folded_deltas_total',
    help: 'Captured changes that refreshing runs of this daemon added to the rollups.',
    labelNames: ['job_name'] as const,
    registers,
  });
  const runDuration = new Histogram({
    name: 'registry_stats_run_duration_seconds',
    help: 'Duration of the runs that were not skipped.',
    labelNames: ['job_name'] as const,
    // From a fold of a few changes to a history of ten years by full scans.
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
    registers,
  });
  return { runs, skips, retries, foldedDeltas, runDuration };
}

function startAtZero(metrics: ReturnType<typeof createRunMetrics>): void {
  const { runs, skips, retries, foldedDeltas, runDuration } = metrics;
  for (const { name: job_name, views } of jobs) {
    for (const outcome of outcomes) runs.inc({ job_name, outcome }, 0);
    for (const reason of Object.keys(skipReasons)) skips.inc({ job_name, reason }, 0);
    retries.inc({ job_name }, 0);
    runDuration.zero({ job_name });
    if (views.length > 0) foldedDeltas.inc({ job_name }, 0);
  }
}

function createJobGauges(registry: Registry) {
  const registers = [registry];
  const labelNames = ['job_name'] as const;
  const lastCheck = new Gauge({
    name: 'registry_stats_last_check_timestamp_seconds',
    help: 'When it was last looked whether the job has work; 0 if never.',
    labelNames,
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'registry_stats_last_success_timestamp_seconds',
    help: 'When the job last refreshed its figures or proved them fresh; 0 if never.',
    labelNames,
    registers,
  });
  const dataAsOf = new Gauge({
    name: 'registry_stats_data_as_of_timestamp_seconds',
    help: 'Every transaction that was committed by then is in the figures of the job.',
    labelNames,
    registers,
  });
  const consecutiveFailures = new Gauge({
    name: 'registry_stats_consecutive_failures',
    help: 'Runs of the job that failed since its last good one.',
    labelNames,
    registers,
  });
  for (const job_name of jobNames) {
    for (const gauge of [lastCheck, lastSuccess, consecutiveFailures]) gauge.set({ job_name }, 0);
  }
  return { lastCheck, lastSuccess, dataAsOf, consecutiveFailures };
}

function createVerifyMetrics(registry: Registry) {
  const registers = [registry];
  const verifications = new Counter({
    name: 'registry_stats_verifications_total',
    help: 'Verifications by VERIFY_SCHEDULE, by result.',
    labelNames: ['result'] as const,
    registers,
  });
  for (const result of verificationResults) verifications.inc({ result }, 0);
  const driftDifferences = new Gauge({
    name: 'registry_stats_drift_differences',
    help: 'Figures that differed from the tables at the last verification.',
    registers,
  });
  const lastVerification = new Gauge({
    name: 'registry_stats_last_verification_timestamp_seconds',
    help: 'When the statistics were last compared with the tables, by any daemon or command.',
    registers,
  });
  // Not known yet is not 0.
  driftDifferences.remove();
  lastVerification.remove();
  return { verifications, driftDifferences, lastVerification };
}

function createStateGauges(registry: Registry) {
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `registry_stats_${name}`, help, registers: [registry] });
  const gauges = {
    pendingDeltas: gauge(
      'pending_deltas',
      'Committed changes that are not in the rollups yet; counted up to a million.',
    ),
    inexactSources: gauge(
      'inexact_sources',
      'Tables whose rollups must be rebuilt before their figures are exact.',
    ),
    databaseUp: gauge('database_up', '1 if the database answered this scrape, else 0.'),
    incremental: gauge(
      'incremental',
      '1 with incremental statistics, 0 in the state of migration 001.',
    ),
    maintenance: gauge('maintenance', '1 while MAINTENANCE_MODE keeps the jobs from writing.'),
    ready: gauge('ready', '1 if /ready answers 200, else 0.'),
    buildInfo: new Gauge({
      name: 'registry_stats_build_info',
      help: 'Always 1; the version is in the labels.',
      labelNames: ['version', 'node_version'] as const,
      registers: [registry],
    }),
  };
  for (const unknown of [gauges.pendingDeltas, gauges.inexactSources, gauges.incremental]) {
    unknown.remove();
  }
  return gauges;
}
