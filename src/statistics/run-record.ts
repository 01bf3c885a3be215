import type { Database } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { RefreshRequest } from '../jobs/outcome.js';
import { hasStatisticsSchema } from './installation.js';

/** The state of a run before its work: legacy, nothing to do, or recorded with an id. */
type RunStart = 'legacy' | 'unchanged' | { readonly id: string };

/**
 * Records the begin of a run in its own transaction, so that a killed run leaves a record. If there
 * is nothing to do, writes only the time of the check. Returns 'legacy' while the views scan the
 * tables. Every run checks that, because a migration may run at any time.
 */
export function beginRun(
  database: Database,
  job: Job,
  { trigger }: Pick<RefreshRequest, 'trigger'>,
  options: TransactionOptions,
): Promise<RunStart> {
  return database.write(options, async ({ query }) => {
    if (!(await hasStatisticsSchema(query))) return 'legacy';
    const [row] = await query<{ id: string | null }>(
      `select registry_stats.begin_run($1, $2) as id
      where exists (select from registry_stats.view where stamp is not null)`,
      [job.name, trigger],
    );
    if (row === undefined) return 'legacy';
    return row.id === null ? 'unchanged' : { id: row.id };
  });
}

/**
 * Runs `work`, and records a failure or cancellation. On success, `work` records the end itself.
 */
export async function recordFailure<Result>(
  database: Database,
  id: string,
  options: TransactionOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await recordEnd(database, id, options, error);
    throw error;
  }
}

/** Records the end. An error here must not hide the error of the run. */
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
