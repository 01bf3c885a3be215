import type { Database } from '../db/database.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, Round, SkipReason } from '../jobs/outcome.js';
import { refreshLegacy } from './refresh-legacy.js';
import { needsRepair, repair } from './repair.js';
import { beginRun, recordFailure } from './run-record.js';

/**
 * Runs one job. Begins a recorded run, or skips it. Repairs what is untrusted. Then folds,
 * refreshes and records the end in one transaction. In the legacy state it runs full scans instead.
 */
export async function refresh(
  database: Database,
  job: Job,
  round: Round,
  options: TransactionOptions,
): Promise<Outcome> {
  const first = await runOnce(database, job, round, options);
  // Only the fold finds some faults, such as a truncate. Their repair is a run of its own.
  if (!first.isInexact || !(await needsRepair(database, job))) return first.outcome;
  const second = await runOnce(database, job, round, options);
  return addFolded(first.outcome, second.outcome);
}

interface Result {
  readonly outcome: Outcome;
  /** Whether figures of the job are still untrusted. */
  readonly isInexact: boolean;
}

async function runOnce(
  database: Database,
  job: Job,
  round: Round,
  options: TransactionOptions,
): Promise<Result> {
  const run = await beginRun(database, job, round, options);
  if (run === 'legacy') {
    const outcome = await database.write(options, (transaction) =>
      refreshLegacy(transaction, job, round),
    );
    return { outcome, isInexact: false };
  }
  const hasViews = job.views.length > 0;
  if (run === 'unchanged') {
    const reason = hasViews ? 'unchanged' : 'complete';
    return { outcome: { outcome: 'skipped', reason }, isInexact: false };
  }
  return recordFailure(database, run.id, options, async () => {
    const repaired = hasViews && run.needsRepair ? await repair(database, job, options) : [];
    return runRecorded(database, run.id, repaired, options);
  });
}

/** Returns the second outcome, with the changes of both. */
function addFolded(first: Outcome, second: Outcome): Outcome {
  if (first.outcome !== 'refreshed' || second.outcome !== 'refreshed') return second;
  const changesFolded = (first.changesFolded ?? 0) + (second.changesFolded ?? 0);
  const changes = (first.changes ?? 0) + (second.changes ?? 0);
  return { ...second, changesFolded, changes };
}

interface RunRow extends Record<string, unknown> {
  readonly outcome: 'refreshed' | 'skipped';
  readonly reason: SkipReason | null;
  readonly detail: string | null;
  /** These three are null for the history. */
  readonly rows_folded: string | null;
  readonly changes: string | null;
  readonly views_refreshed: readonly string[] | null;
  /** null for views. */
  readonly months_inserted: number | null;
}

/** Does the work and records it, in one transaction. */
async function runRecorded(
  database: Database,
  id: string,
  repaired: readonly string[],
  options: TransactionOptions,
): Promise<Result> {
  const [row] = await database.write(options, ({ query }) =>
    query<RunRow>('select * from registry_stats.run_recorded($1, $2)', [
      id,
      repaired.length === 0 ? null : repaired.join('; '),
    ]),
  );
  if (row === undefined) throw new Error(`no result of run ${id}`);
  return { outcome: toOutcome(row, repaired), isInexact: row.reason === 'inexact' };
}

function toOutcome(row: RunRow, repaired: readonly string[]): Outcome {
  const { outcome, detail, rows_folded: folded, changes } = row;
  if (outcome === 'skipped') {
    const reason = row.reason ?? 'unchanged';
    return { outcome, reason, ...(detail !== null && { detail }) };
  }
  const untrusted = detail === null ? [] : [`untrusted: ${detail}`];
  return {
    outcome,
    detail: [...repaired, ...describeWork(row, repaired.length > 0), ...untrusted].join('; '),
    ...(folded !== null && { changesFolded: Number(folded) }),
    ...(changes !== null && { changes: Number(changes) }),
  };
}

/** A view is also refreshed without a change: after a repair, or if names or prices changed. */
function describeWork(row: RunRow, isRepaired: boolean): string[] {
  const { months_inserted: months, views_refreshed: views } = row;
  if (months !== null) return [`${countOf(months, 'month')} added`];
  const changes = Number(row.changes);
  if (changes > 0) return [countOf(changes, 'change')];
  return isRepaired ? [] : [countOf(views?.length ?? 0, 'view')];
}

function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
