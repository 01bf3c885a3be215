import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { jobNames, jobs } from '../jobs/job.js';
import { skipReasons, type Outcome } from '../jobs/outcome.js';

export type MetricSet = ReturnType<typeof createMetricSet>;

/** The results of a verification, as a label. */
const verificationResults = ['equal', 'drift', 'failed', 'missed'] as const;

/**
 * Creates every metric in its own registry. Counters start at 0, so that the first failure is an
 * increase. The label is `job_name`, because Prometheus uses `job` for targets.
 */
export function createMetricSet(version: string) {
  const registry = new Registry();
  // By default a timer wakes the process every 10 ms, which is most of its idle CPU time.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 3_600_000 });
  for (const name of [...misnamedDefaults, ...lagPercentiles]) registry.removeSingleMetric(name);
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

/** Gauges with a wrong `_total` suffix. Each has an equal metric by type. */
const misnamedDefaults = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Distributions of the timer that is off. `nodejs_eventloop_lag_seconds` is measured at the scrape. */
const lagPercentiles = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (name) => `nodejs_eventloop_lag_${name}_seconds`,
);

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
    help: 'Attempts of a job that failed with a transient error and were retried.',
    labelNames: ['job_name'] as const,
    registers,
  });
  const changesFolded = new Counter({
    name: 'registry_stats_folded_deltas_total',
    help: 'Changes folded: deltas that runs of this daemon added to the rollups.',
    labelNames: ['job_name'] as const,
    registers,
  });
  const runDuration = new Histogram({
    name: 'registry_stats_run_duration_seconds',
    help: 'Duration of the runs that were not skipped.',
    labelNames: ['job_name'] as const,
    // From a fold of a few changes to a full scan of ten years.
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400],
    registers,
  });
  return { runs, skips, retries, changesFolded, runDuration };
}

function startAtZero(metrics: ReturnType<typeof createRunMetrics>): void {
  const { runs, skips, retries, changesFolded, runDuration } = metrics;
  for (const { name: job_name, views } of jobs) {
    for (const outcome of outcomes) runs.inc({ job_name, outcome }, 0);
    for (const reason of Object.keys(skipReasons)) skips.inc({ job_name, reason }, 0);
    retries.inc({ job_name }, 0);
    runDuration.zero({ job_name });
    if (views.length > 0) changesFolded.inc({ job_name }, 0);
  }
}

function createJobGauges(registry: Registry) {
  const registers = [registry];
  const labelNames = ['job_name'] as const;
  const lastCheck = new Gauge({
    name: 'registry_stats_last_check_timestamp_seconds',
    help: 'The last time a run looked for changes; 0 if never.',
    labelNames,
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'registry_stats_last_success_timestamp_seconds',
    help: 'The last time the job refreshed its figures or found them fresh; 0 if never.',
    labelNames,
    registers,
  });
  const dataAsOf = new Gauge({
    name: 'registry_stats_data_as_of_timestamp_seconds',
    help: 'The figures of the job include everything committed before this time.',
    labelNames,
    registers,
  });
  const consecutiveFailures = new Gauge({
    name: 'registry_stats_consecutive_failures',
    help: 'Failed runs of the job since its last success.',
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
    help: 'The last time a daemon or command compared the figures with the tables.',
    registers,
  });
  // No value until it is known.
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
      'Deltas that are not in the rollups yet; counted up to a million.',
    ),
    inexactSources: gauge('inexact_sources', 'Untrusted tables, whose rollups must be rebuilt.'),
    databaseUp: gauge('database_up', '1 if the database responded to this scrape, else 0.'),
    incremental: gauge('incremental', '1 with incremental statistics, 0 in the legacy state.'),
    maintenance: gauge('maintenance', '1 while MAINTENANCE_MODE is true.'),
    ready: gauge('ready', '1 if /ready responds with 200, else 0.'),
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
