import type { Database } from '../db/database.js';
import { jobs } from '../jobs/job.js';
import type { JobRecordAnswer, StatisticsState } from './answers.js';
import { readOverview, type JobRecord } from './overview.js';

/** The overview, with the pending changes of each job, for the status page. */
export async function readStatisticsState(
  database: Pick<Database, 'read'>,
): Promise<StatisticsState> {
  const overview = await readOverview(database);
  if (overview === undefined) {
    return { mode: 'plain', problem: null, pendingChanges: null, inexact: [], jobs: [] };
  }
  const pending = await readPendingByView(database);
  return {
    mode: 'incremental',
    problem: null,
    pendingChanges: overview.pendingChanges,
    inexact: overview.inexact,
    jobs: overview.jobs.map((record) => toAnswer(record, pending)),
  };
}

interface PendingSource extends Record<string, unknown> {
  readonly views: readonly string[];
  readonly changes: string;
}

function readPendingByView(database: Pick<Database, 'read'>): Promise<PendingSource[]> {
  return database.read<PendingSource>(
    `select delta.changes, pg_catalog.array_agg(view.name) as views
    from (
      select source, count(*) as changes
      from registry_stats.delta
      group by source
    ) as delta
    join registry_stats.view
      on view.source = delta.source
    group by delta.source, delta.changes`,
  );
}

function toAnswer(record: JobRecord, pending: readonly PendingSource[]): JobRecordAnswer {
  const views = jobs.find(({ name }) => name === record.name)?.views ?? [];
  const ofJob = pending.filter((source) => source.views.some((view) => views.includes(view)));
  return {
    job: record.name,
    outcome: record.outcome,
    reason: record.reason,
    lastCheck: record.lastCheck?.toISOString() ?? null,
    lastRefresh: record.lastRefresh?.toISOString() ?? null,
    dataAsOf: record.dataAsOf?.toISOString() ?? null,
    consecutiveFailures: record.consecutiveFailures,
    pendingChanges: ofJob.reduce((sum, { changes }) => sum + Number(changes), 0),
  };
}
