import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { jobNames } from '../jobs/job.js';
import { isIncremental } from '../statistics/installation.js';
import type { Blocker, JobRecord, Problem, StatisticsState, Verification } from './model.js';

type Reading = Pick<Database, 'read'>;

/** Pending changes are counted up to here: more is an alarm, not a figure. */
const pendingLimit = 1_000_000;

/** Reads what the database says of its statistics. */
export async function readStatistics(database: Reading): Promise<StatisticsState> {
  if (!(await isIncremental(database))) {
    return { ...nothingKnown, mode: 'plain' };
  }
  const pending = await readPending(database);
  return {
    mode: 'incremental',
    problem: null,
    pendingChanges: Math.min(sumOf(pending), pendingLimit),
    inexact: await readProblems(database),
    jobs: await readJobs(database, pending),
    lastVerification: await readVerification(database),
    blocker: await readBlocker(database),
  };
}

const nothingKnown = {
  problem: null,
  pendingChanges: null,
  inexact: [],
  jobs: [],
  lastVerification: null,
  blocker: null,
};

/** The state where the database did not answer, because of `problem`. */
export function unknownStatistics(problem: string): StatisticsState {
  return { ...nothingKnown, mode: 'unknown', problem };
}

interface PendingSource extends Record<string, unknown> {
  /** The jobs whose views show the table. */
  readonly jobs: readonly string[];
  readonly changes: string;
}

function readPending(database: Reading): Promise<PendingSource[]> {
  return database.read<PendingSource>(
    `select delta.changes, array(
      select view.job from registry_stats.view where view.source = delta.source
    ) as jobs
    from (
      select source, count(*) as changes
      from (select source from registry_stats.delta limit $1) as counted
      group by source
    ) as delta`,
    [pendingLimit],
  );
}

function sumOf(pending: readonly PendingSource[]): number {
  return pending.reduce((sum, { changes }) => sum + Number(changes), 0);
}

function readProblems(database: Reading): Promise<readonly Problem[]> {
  return database.read<Problem & Record<string, unknown>>(
    `select
      name,
      pg_catalog.min(reason)
        || case when pg_catalog.bool_and(is_repairable) then ': the next run puts it right' else '' end
        as reason,
      pg_catalog.bool_and(is_repairable) as "isRepairable"
    from registry_stats.problems()
    group by name
    order by name`,
  );
}

interface JobRow extends Record<string, unknown> {
  readonly name: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly last_check: Date | null;
  readonly last_refresh: Date | null;
  readonly data_as_of: Date | null;
  readonly consecutive_failures: number;
  readonly failing_since: Date | null;
}

async function readJobs(
  database: Reading,
  pending: readonly PendingSource[],
): Promise<readonly JobRecord[]> {
  const rows = await database.read<JobRow>(await readQuery('job_records'));
  return jobNames.flatMap((name) => {
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined) return [];
    const ofJob = pending.filter((source) => source.jobs.includes(name));
    return {
      job: name,
      outcome: row.outcome,
      reason: row.reason,
      lastCheck: toText(row.last_check),
      lastRefresh: toText(row.last_refresh),
      dataAsOf: toText(row.data_as_of),
      consecutiveFailures: row.consecutive_failures,
      failingSince: toText(row.failing_since),
      pendingChanges: sumOf(ofJob),
    };
  });
}

async function readVerification(database: Reading): Promise<Verification | null> {
  const [row] = await database.read<{ finished_at: Date; differences: number }>(
    await readQuery('last_verification'),
  );
  if (row === undefined) return null;
  return { finishedAt: row.finished_at.toISOString(), differences: row.differences };
}

type BlockerRow = Record<string, unknown> &
  Omit<Blocker, 'since' | 'waitingSince'> & { since: Date | null; waitingSince: Date | null };

async function readBlocker(database: Reading): Promise<Blocker | null> {
  const [row] = await database.read<BlockerRow>(await readQuery('blocker'));
  if (row === undefined) return null;
  return { ...row, since: toText(row.since), waitingSince: toText(row.waitingSince) };
}

function toText(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
