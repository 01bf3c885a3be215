import type { Database } from '../db/database.js';
import type { Transaction, TransactionOptions } from '../db/transaction.js';
import { describeFailure, errorCodeOf, sqlstate } from '../db/sqlstate.js';
import { swapViews } from './swap-views.js';
import { hasStatisticsSchema } from './installation.js';
import { rebuildIfInexact } from './rebuild.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest, SkipReason } from '../jobs/outcome.js';

/** Where a job's run stands before its work: not for us, nothing to do, or recorded under its id. */
export type Begun = 'legacy' | 'unchanged' | { readonly id: string };

/**
 * Records the begin of a run, to be committed before its work, so that a killed one is found. Where
 * nothing is pending, only the time of the check is written. Gives 'legacy' where the views still scan
 * the tables: looked up at each run, since a migration may come between.
 */
export async function beginRun(
  { query }: Transaction,
  job: Job,
  { trigger }: Pick<RefreshRequest, 'trigger'>,
): Promise<Begun> {
  if (!(await hasStatisticsSchema(query))) return 'legacy';
  const [begun] = await query<{ id: string | null }>(
    `select registry_stats.begin_run($1, $2) as id
    where exists (select from registry_stats.view where stamp is not null)`,
    [job.name, trigger],
  );
  if (begun === undefined) return 'legacy';
  return begun.id === null ? 'unchanged' : { id: begun.id };
}

/**
 * Does the work of a run that has begun, at the cost of what changed, and records its end. Tables
 * whose capture cannot be trusted are rebuilt first, in one snapshot each.
 */
export async function refreshIncrementally(
  database: Database,
  job: Job,
  id: string,
  options: TransactionOptions,
): Promise<Outcome> {
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
  if (job.views.length === 0) {
    return database.write(options, (transaction) => runHistory(transaction, id));
  }
  const repaired = await repair(database, job, options);
  const outcome = await database.write(options, (open) => runViews(open, job, id, repaired));
  // Found only by the fold, such as a truncate: the same once more, after the rebuild.
  const more = await repair(database, job, options);
  if (more.length === 0) return outcome;
  return database.write(options, (open) => runViews(open, job, id, [...repaired, ...more]));
}

/** Rebuilds the tables that cannot be trusted, and puts our views where others stand; says which, and why. */
async function repair(
  database: Database,
  job: Job,
  options: TransactionOptions,
): Promise<string[]> {
  const repaired: string[] = [];
  for (const { name, reason, isView } of await findRepairable(database)) {
    if (isView) continue;
    const isRebuilt = await rebuildIfInexact(database, name, options);
    if (isRebuilt) repaired.push(`${name} rebuilt: ${reason}`);
  }
  const views = (await findRepairable(database)).filter(
    ({ name, isView }) => isView && job.views.includes(name),
  );
  const { lockTimeoutMs, signal = new AbortController().signal } = options;
  if (views.length > 0 && (await swapIfExact(database, { lockTimeoutMs, signal }))) {
    repaired.push(...views.map(({ name, reason }) => `${name} created again: ${reason}`));
  }
  return repaired;
}

/** If a table was marked since its rebuild, the run reports it, and the next pass rebuilds it. */
async function swapIfExact(
  database: Database,
  options: Parameters<typeof swapViews>[1],
): Promise<boolean> {
  try {
    return await swapViews(database, options);
  } catch (error) {
    if (errorCodeOf(error) === sqlstate.objectNotInPrerequisiteState) return false;
    throw error;
  }
}

interface Repairable extends Record<string, unknown> {
  readonly name: string;
  readonly reason: string;
  readonly isView: boolean;
}

function findRepairable(database: Database): Promise<Repairable[]> {
  return database.write({ statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 }, async ({ query }) => {
    await query('select registry_stats.check_sources()');
    return query<Repairable>(
      `select distinct
        problem.name,
        problem.reason,
        view.name is not null as "isView"
      from registry_stats.problems() as problem
      left join registry_stats.view on view.name = problem.name
      where problem.is_repairable
      order by problem.name`,
    );
  });
}

interface RunRow extends Record<string, unknown> {
  outcome: 'refreshed' | 'skipped';
  reason: SkipReason | null;
  detail: string | null;
  rows_folded: string;
  views_refreshed: string[];
}

async function runViews(
  { query }: Transaction,
  job: Job,
  id: string,
  repaired: readonly string[],
): Promise<Outcome> {
  const [row] = await query<RunRow>(
    `select run.outcome, run.reason, run.detail, run.rows_folded, run.views_refreshed
    from registry_stats.run($1) as run
    cross join lateral registry_stats.finish_run(
      $2, run.outcome, nullif(concat_ws('; ', $3::text, coalesce(run.detail, run.reason)), ''),
      run.rows_folded, run.views_refreshed, run.data_as_of
    )`,
    [job.name, id, repaired.length === 0 ? null : repaired.join('; ')],
  );
  if (row?.outcome !== 'refreshed') {
    const detail = row?.detail ?? undefined;
    return { outcome: 'skipped', reason: row?.reason ?? 'unchanged', ...(detail && { detail }) };
  }
  const views = row.views_refreshed;
  const refreshed = views.length === 1 ? '1 view refreshed' : `${views.length} views refreshed`;
  return {
    outcome: 'refreshed',
    detail: [
      ...repaired,
      `${row.rows_folded} changes folded, ${refreshed}`,
      ...(row.detail === null ? [] : [`not exact: ${row.detail}`]),
    ].join('; '),
    foldedDeltas: Number(row.rows_folded),
  };
}

/** No month that had begun when the transaction did is missing then, unless another session is at it. */
async function runHistory({ query }: Transaction, id: string): Promise<Outcome> {
  const [row] = await query<{
    outcome: 'refreshed' | 'skipped';
    reason: SkipReason | null;
    detail: string | null;
    months: number;
    rows: string;
  }>(
    `select
      run.outcome, run.reason, run.detail,
      run.months_inserted as months, run.rows_inserted as rows
    from registry_stats.run_history() as run
    cross join lateral registry_stats.finish_run(
      $1, run.outcome, coalesce(run.detail, run.reason),
      data_as_of => case when run.reason is distinct from 'busy' then transaction_timestamp() end
    )`,
    [id],
  );
  const problem = row?.detail ?? undefined;
  if (row?.outcome !== 'refreshed') {
    return {
      outcome: 'skipped',
      reason: row?.reason ?? 'complete',
      ...(problem && { detail: problem }),
    };
  }
  const months = row.months === 1 ? '1 month' : `${row.months} months`;
  const done = `${months}, ${row.rows} rows inserted`;
  return { outcome: 'refreshed', detail: problem ? `${done}; not exact: ${problem}` : done };
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
