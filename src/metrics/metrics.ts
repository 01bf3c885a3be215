import type { Config } from '../config/config.js';
import type { Events } from '../daemon/events.js';
import type { StatisticsState, Status, Verification } from '../status/model.js';
import type { StatusReader } from '../status/status-reader.js';
import { readVersion } from '../version.js';
import { countEvents } from './count-events.js';
import { createMetricSet, type MetricSet } from './metric-set.js';

export interface Metrics {
  readonly contentType: string;
  /** All metrics as of now, in Prometheus's text format. Does not fail when the database is away. */
  render(): Promise<string>;
}

/** A reload replaces `config`: it is read at each scrape. */
interface MetricsContext {
  readonly config: Pick<Config, 'isMaintenance'>;
  readonly events: Events;
}

/**
 * Creates the metrics of what the daemon does, from its events, and of what the database records: so a
 * daemon that has just started, or that leaves the work to another one, shows the same times.
 */
export async function createMetrics(
  context: MetricsContext,
  statusReader: Pick<StatusReader, 'read'>,
): Promise<Metrics> {
  const metrics = createMetricSet(await readVersion());
  let verification: Verification | null = null;
  context.events.observe(countEvents(metrics));
  context.events.observe((event) => {
    if (event.type !== 'verified') return;
    const finishedAt = new Date().toISOString();
    verification = { finishedAt, differences: event.comparison.count };
  });
  /** Of the last scrape that the database answered. */
  let records: StatisticsState['jobs'] = [];

  return {
    contentType: metrics.registry.contentType,
    render: async () => {
      const status = await statusReader.read();
      const { statistics } = status;
      const isUp = statistics.mode !== 'unknown';
      metrics.databaseUp.set(Number(isUp));
      if (isUp) {
        records = statistics.jobs;
        setStatistics(metrics, statistics);
        verification = laterOf(verification, statistics.lastVerification);
      }
      if (verification !== null) setVerification(metrics, verification);
      setJobs(metrics, status.jobs, records);
      metrics.maintenance.set(Number(context.config.isMaintenance));
      metrics.ready.set(Number(status.verdict.notReady === null));
      return metrics.registry.metrics();
    },
  };
}

function setStatistics(metrics: MetricSet, statistics: StatisticsState): void {
  const { mode, pendingChanges, inexact } = statistics;
  metrics.incremental.set(Number(mode === 'incremental'));
  if (mode === 'incremental') {
    metrics.pendingDeltas.set(pendingChanges ?? 0);
    metrics.inexactSources.set(inexact.length);
  } else {
    for (const gauge of [metrics.pendingDeltas, metrics.inexactSources]) gauge.remove();
    metrics.dataAsOf.reset();
  }
}

/** This daemon's own may not be on record; that of a person, or of another daemon, is on record only. */
function laterOf(one: Verification | null, other: Verification | null): Verification | null {
  if (one === null || other === null) return one ?? other;
  return one.finishedAt > other.finishedAt ? one : other;
}

function setVerification(metrics: MetricSet, { finishedAt, differences }: Verification): void {
  metrics.lastVerification.set(Date.parse(finishedAt) / 1000);
  metrics.driftDifferences.set(differences);
}

/** The later time and the larger number of what this daemon has seen and what is on record. */
function setJobs(metrics: MetricSet, jobs: Status['jobs'], records: StatisticsState['jobs']): void {
  for (const { job: job_name, lastCheck, lastSuccess, consecutiveFailures } of jobs) {
    const record = records.find(({ job }) => job === job_name);
    const { lastRefresh, dataAsOf } = record ?? {};
    metrics.lastCheck.set({ job_name }, latest(lastCheck, record?.lastCheck));
    metrics.lastSuccess.set({ job_name }, latest(lastRefresh, dataAsOf, lastSuccess));
    if (dataAsOf != null) metrics.dataAsOf.set({ job_name }, latest(dataAsOf));
    metrics.consecutiveFailures.set(
      { job_name },
      Math.max(consecutiveFailures, record?.consecutiveFailures ?? 0),
    );
  }
}

/** In seconds, as Prometheus has it; 0 for never. */
function latest(...times: readonly (string | null | undefined)[]): number {
  return Math.max(...times.map((time) => (time == null ? 0 : Date.parse(time)))) / 1000;
}
