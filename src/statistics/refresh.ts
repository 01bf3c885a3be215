import type { Database } from '../db/database.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest, SkipReason } from '../jobs/outcome.js';
import { refreshLegacy } from './refresh-legacy.js';
import { repair } from './repair.js';
import { beginRun, recordFailure } from './run-record.js';

/**
 * Runs one job. Begins a recorded run or skips it. Repairs what is untrusted. Then folds, refreshes
 * and records the end in one transaction. In the legacy state it runs full scans instead.
 */
export async function refresh(
  database: Database,
  job: Job,
  request: RefreshRequest,
  options: TransactionOptions,
): Promise<Outcome> {
  const run = await beginRun(database, job, request, options);
  if (run === 'legacy') {
    return database.write(options, (transaction) => refreshLegacy(transaction, job, request));
  }
  if (run === 'unchanged') {
    return { outcome: 'skipped', reason: job.views.length === 0 ? 'complete' : 'unchanged' };
  }
  return recordFailure(database, run.id, options, async () => {
    const repaired = job.views.length === 0 ? [] : await repair(database, job, options);
    const outcome = await runRecorded(database, run.id, repaired, options);
    if (job.views.length === 0) return outcome;
    // Only the fold finds some faults, such as a truncate. So repair and run once more.
    const more = await repair(database, job, options);
    if (more.length === 0) return outcome;
    return runRecorded(database, run.id, [...repaired, ...more], options);
  });
}

interface RunRow extends Record<string, unknown> {
  readonly outcome: 'refreshed' | 'skipped';
  readonly reason: SkipReason | null;
  readonly detail: string | null;
  /** Both null for the history. */
  readonly rows_folded: string | null;
  readonly views_refreshed: readonly string[] | null;
  /** Both null for views. */
  readonly months_inserted: number | null;
  readonly rows_inserted: string | null;
}

/** Does the work and records it, in one transaction. */
async function runRecorded(
  database: Database,
  id: string,
  repaired: readonly string[],
  options: TransactionOptions,
): Promise<Outcome> {
  const [row] = await database.write(options, ({ query }) =>
    query<RunRow>('select * from registry_stats.run_recorded($1, $2)', [
      id,
      repaired.length === 0 ? null : repaired.join('; '),
    ]),
  );
  if (row === undefined) throw new Error(`no result of run ${id}`);
  const { outcome, detail, rows_folded: folded } = row;
  if (outcome === 'skipped') {
    const reason = row.reason ?? 'unchanged';
    return { outcome, reason, ...(detail !== null && { detail }) };
  }
  const untrusted = detail === null ? [] : [`untrusted: ${detail}`];
  return {
    outcome,
    detail: [...repaired, describeWork(row), ...untrusted].join('; '),
    ...(folded !== null && { changesFolded: Number(folded) }),
  };
}

function describeWork(row: RunRow): string {
  const { months_inserted: months, rows_inserted: rows } = row;
  if (months !== null) return `${countOf(months, 'month')}, ${rows ?? 0} rows inserted`;
  const views = row.views_refreshed?.length ?? 0;
  return `${row.rows_folded ?? 0} changes folded, ${countOf(views, 'view')} refreshed`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
