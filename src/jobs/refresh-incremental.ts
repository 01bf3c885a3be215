import type { Database, Transaction, TransactionOptions } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import { isSource } from '../statistics/installation.js';
import { rebuildSource } from '../statistics/rebuild.js';
import type { Job } from './job.js';
import type { Outcome, RefreshRequest, SkipReason } from './outcome.js';

/**
 * Runs one job at the cost of what changed. The record of the run is committed before its work, so
 * that a killed one is found; where nothing is pending, only the time of the check is written.
 * Tables whose capture cannot be trusted are rebuilt first, in one snapshot each.
 */
export async function refreshIncrementally(
  database: Database,
  job: Job,
  { trigger }: Pick<RefreshRequest, 'trigger'>,
  options: TransactionOptions,
): Promise<Outcome> {
  const [begun] = await database.write(options, ({ query }) =>
    query<{ id: string | null }>('select registry_stats.begin_run($1, $2) as id', [
      job.name,
      trigger,
    ]),
  );
  const id = begun?.id ?? null;
  if (id === null) return { outcome: 'skipped', reason: reasonForNothing(job) };
  try {
    return await runRecorded(database, job, id, options);
  } catch (error) {
    await recordEnd(database, id, options, error);
    throw error;
  }
}

async function runRecorded(
  database: Database,
  job: Job,
  id: string,
  options: TransactionOptions,
): Promise<Outcome> {
  const run = () =>
    database.write(options, (transaction) =>
      job.views.length === 0 ? runHistory(transaction, id) : runViews(transaction, job, id),
    );
  const inexact = await inexactSources(database, job);
  for (const source of inexact) await rebuildSource(database, source, options);
  const outcome = await run();
  // Found only by the fold, such as a truncate: the same once more, after the rebuild.
  if (outcome.outcome !== 'skipped' || outcome.reason !== 'inexact') return outcome;
  for (const source of await inexactSources(database, job)) {
    await rebuildSource(database, source, options);
  }
  return run();
}

async function inexactSources(database: Database, job: Job) {
  if (job.views.length === 0) return [];
  const [row] = await database.write(
    { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 },
    ({ query }) => query<{ names: string[] }>('select registry_stats.check_sources() as names'),
  );
  return (row?.names ?? []).filter(isSource);
}

interface RunRow extends Record<string, unknown> {
  outcome: 'refreshed' | 'skipped';
  reason: SkipReason | null;
  detail: string | null;
  rows_folded: string;
  views_refreshed: string[];
}

async function runViews({ query }: Transaction, job: Job, id: string): Promise<Outcome> {
  const [row] = await query<RunRow>(
    `select run.outcome, run.reason, run.detail, run.rows_folded, run.views_refreshed
    from registry_stats.run($1) as run
    cross join lateral registry_stats.finish_run(
      $2, run.outcome, coalesce(run.detail, run.reason),
      run.rows_folded, run.views_refreshed, run.data_as_of
    )`,
    [job.name, id],
  );
  if (row?.outcome !== 'refreshed') {
    return { outcome: 'skipped', reason: row?.reason ?? 'unchanged' };
  }
  const views = row.views_refreshed;
  const refreshed = views.length === 1 ? '1 view refreshed' : `${views.length} views refreshed`;
  return { outcome: 'refreshed', detail: `${row.rows_folded} changes folded, ${refreshed}` };
}

async function runHistory({ query }: Transaction, id: string): Promise<Outcome> {
  const [row] = await query<{
    outcome: 'refreshed' | 'skipped';
    reason: SkipReason | null;
    months: number;
    rows: string;
  }>(
    `select
      run.outcome, run.reason, run.months_inserted as months, run.rows_inserted as rows
    from registry_stats.run_history() as run
    cross join lateral registry_stats.finish_run($1, run.outcome, run.reason)`,
    [id],
  );
  if (row?.outcome !== 'refreshed') {
    return { outcome: 'skipped', reason: row?.reason ?? 'complete' };
  }
  return { outcome: 'refreshed', detail: `${row.months} months, ${row.rows} rows inserted` };
}

function reasonForNothing(job: Job): SkipReason {
  return job.views.length === 0 ? 'complete' : 'unchanged';
}

/** The record must not stand in the way of the error itself. */
async function recordEnd(
  database: Database,
  id: string,
  { signal, statementTimeoutMs, lockTimeoutMs }: TransactionOptions,
  error: unknown,
): Promise<void> {
  const isCancelled = signal?.aborted === true;
  const reason = isCancelled ? String(signal.reason) : describeFailure(error);
  await database
    .write({ statementTimeoutMs, lockTimeoutMs }, ({ query }) =>
      query('select registry_stats.finish_run($1, $2, $3)', [
        id,
        isCancelled ? 'cancelled' : 'failed',
        reason,
      ]),
    )
    .catch(() => undefined);
}
