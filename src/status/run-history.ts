import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import type { RunRecord, RunsPage } from './model.js';

/** How a recorded run may have ended, and `running` for one that has not. */
export const runOutcomes = [
  'running',
  'refreshed',
  'skipped',
  'failed',
  'cancelled',
  'crashed',
] as const;

export interface RunsQuestion {
  readonly job?: string | undefined;
  readonly outcome?: (typeof runOutcomes)[number] | undefined;
  readonly limit: number;
  /** Only runs with a smaller id. */
  readonly before?: string | undefined;
}

/** Recorded runs, newest first. A run that found nothing to do leaves no record, only a check. */
export async function readRuns(
  database: Pick<Database, 'read'>,
  { job, outcome, limit, before }: RunsQuestion,
): Promise<RunsPage> {
  const [records] = await database.read<{ exist: boolean }>(
    `select pg_catalog.to_regclass('registry_stats.run') is not null as exist`,
  );
  if (records?.exist !== true) {
    return { version: 1, isRecorded: false, runs: [], olderThan: null };
  }
  // One more than asked tells whether there are older ones.
  const rows = await database.read<RunRow>(await readQuery('runs'), [
    job ?? null,
    outcome ?? null,
    before ?? null,
    limit + 1,
  ]);
  const runs = rows.slice(0, limit).map(toAnswer);
  const olderThan = rows.length > limit ? (runs.at(-1)?.id ?? null) : null;
  return { version: 1, isRecorded: true, runs, olderThan };
}

interface RunRow extends Record<string, unknown> {
  id: string;
  job: string;
  trigger: string;
  started_at: Date;
  finished_at: Date | null;
  outcome: string | null;
  reason: string | null;
  changes: string | null;
  views_refreshed: string[] | null;
  data_as_of: Date | null;
}

function toAnswer(row: RunRow): RunRecord {
  const { started_at: start, finished_at: end } = row;
  return {
    id: row.id,
    job: row.job,
    trigger: row.trigger,
    startedAt: start.toISOString(),
    finishedAt: end?.toISOString() ?? null,
    durationMs: end === null ? null : Math.max(0, end.getTime() - start.getTime()),
    outcome: row.outcome,
    reason: row.reason,
    changes: row.changes === null ? null : Number(row.changes),
    viewsRefreshed: row.views_refreshed ?? [],
    dataAsOf: row.data_as_of?.toISOString() ?? null,
  };
}
