import type { Config } from '../config/config.js';
import type { Context } from '../context.js';
import { createBoundedReader } from '../status/bounded-reader.js';
import type { DaemonStatus, StatusBoard } from '../daemon/status-board.js';
import { jobNames, type JobName } from '../jobs/job.js';
import type { RunReport } from '../jobs/outcome.js';
import { readOverview, type Overview } from '../status/overview.js';
import type { Verification } from '../statistics/verify.js';
import { readVersion } from '../version.js';
import { countEvents } from './count-events.js';
import { createMetricSet, type MetricSet } from './metric-set.js';

export interface Metrics {
  readonly contentType: string;
  /** All metrics as of now, in Prometheus's text format. Does not fail when the database is away. */
  render(): Promise<string>;
}

/** `config` and `database` are read at each scrape: a reload replaces them. */
export interface MetricsContext extends Pick<Context, 'database' | 'events'> {
  readonly config: Pick<Config, 'isMaintenance'>;
}

/**
 * What the daemon does, from its events, and what the database records: so a daemon that has just
 * started, or that leaves the work to another one, tells the same times.
 */
export async function createMetrics(context: MetricsContext, board: StatusBoard): Promise<Metrics> {
  const metrics = createMetricSet(await readVersion());
  const checks = new Map<JobName, number>();
  let verification: Verification | null = null;
  context.events.observe(countEvents(metrics));
  context.events.observe((event) => {
    if (event.type === 'run-finished' && hasLooked(event.report)) {
      checks.set(event.report.job, endOf(event.report));
    }
    if (event.type === 'verified') {
      verification = { finishedAt: new Date(), differences: event.comparison.count };
    }
  });
  const reader = createBoundedReader(context, {
    // Far below the 10 s that Prometheus waits: a scrape must answer while the database does not.
    timeoutMs: 1_500,
    isDatabaseDown: () => board.current().isDatabaseDown,
  });
  let records: Overview['jobs'] = [];

  return {
    contentType: metrics.registry.contentType,
    render: async () => {
      const answer = await reader.read('overview', 1_000, readOverview).then(
        (overview) => ({ isUp: true, overview }) as const,
        // Away, refusing or too slow: the log has it from whatever needs the database.
        () => ({ isUp: false }) as const,
      );
      metrics.databaseUp.set(Number(answer.isUp));
      if (answer.isUp) {
        records = answer.overview?.jobs ?? [];
        setOverview(metrics, answer.overview);
        verification = laterOf(verification, answer.overview?.lastVerification ?? null);
      }
      if (verification !== null) setVerification(metrics, verification);
      setJobs(metrics, { status: board.current(), records, checks });
      metrics.maintenance.set(Number(context.config.isMaintenance));
      metrics.ready.set(Number(answer.isUp && board.reasonNotReady() === undefined));
      return metrics.registry.metrics();
    },
  };
}

function setOverview(metrics: MetricSet, overview: Overview | undefined): void {
  metrics.incremental.set(Number(overview !== undefined));
  if (overview === undefined) {
    for (const gauge of [metrics.pendingDeltas, metrics.inexactSources]) gauge.remove();
    metrics.dataAsOf.reset();
  } else {
    metrics.pendingDeltas.set(overview.pendingChanges);
    metrics.inexactSources.set(overview.inexact.length);
  }
}

/** This daemon's own may be on no record, another's or a person's is on record only. */
function laterOf(one: Verification | null, other: Verification | null): Verification | null {
  if (one === null || other === null) return one ?? other;
  return one.finishedAt > other.finishedAt ? one : other;
}

function setVerification(metrics: MetricSet, { finishedAt, differences }: Verification): void {
  metrics.lastVerification.set(finishedAt.getTime() / 1000);
  metrics.driftDifferences.set(differences);
}

interface JobSources {
  readonly status: DaemonStatus;
  /** What the database records; none where it was never read, or is in the state of 001. */
  readonly records: Overview['jobs'];
  /** When this daemon looked itself, in milliseconds. */
  readonly checks: ReadonlyMap<JobName, number>;
}

/** The later time and the larger number of what this daemon saw and what is recorded. */
function setJobs(metrics: MetricSet, { status, records, checks }: JobSources): void {
  for (const job_name of jobNames) {
    const own = status.jobs.find(({ job }) => job === job_name);
    const record = records.find(({ name }) => name === job_name);
    const { lastCheck, lastRefresh, dataAsOf } = record ?? {};
    const ownSuccess = own?.lastSuccess == null ? undefined : new Date(own.lastSuccess);
    metrics.lastCheck.set({ job_name }, latest(lastCheck, new Date(checks.get(job_name) ?? 0)));
    metrics.lastSuccess.set({ job_name }, latest(lastRefresh, dataAsOf, ownSuccess));
    if (dataAsOf != null) metrics.dataAsOf.set({ job_name }, latest(dataAsOf));
    metrics.consecutiveFailures.set(
      { job_name },
      Math.max(own?.consecutiveFailures ?? 0, record?.consecutiveFailures ?? 0),
    );
  }
}

/** In seconds, as Prometheus has it; 0 for never. */
function latest(...times: readonly (Date | null | undefined)[]): number {
  return Math.max(...times.map((time) => time?.getTime() ?? 0)) / 1000;
}

/** A run that failed, or was kept from looking, has found nothing out. */
function hasLooked({ result }: RunReport): boolean {
  if (result.outcome === 'refreshed') return true;
  return result.outcome === 'skipped' && !['maintenance', 'database-down'].includes(result.reason);
}

function endOf({ startedAt, durationMs }: RunReport): number {
  return startedAt.getTime() + durationMs;
}
