import type { Database } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { RefreshRequest } from '../jobs/outcome.js';
import { hasStatisticsSchema } from './installation.js';

/** Where a run is before its work: not incremental, nothing to do, or recorded under its id. */
export type Begun = 'legacy' | 'unchanged' | { readonly id: string };

/**
 * Records that a run begins, in a transaction of its own, so that a killed run leaves its record. Where
 * nothing is to be done, only the time of the check is written. Returns 'legacy' where the views
 * still scan the tables: each run looks, since a migration may come in between.
 */
export function beginRun(
  database: Database,
  job: Job,
  { trigger }: Pick<RefreshRequest, 'trigger'>,
  options: TransactionOptions,
): Promise<Begun> {
  return database.write(options, async ({ query }) => {
    if (!(await hasStatisticsSchema(query))) return 'legacy';
    const [begun] = await query<{ id: string | null }>(
      `select registry_stats.begin_run($1, $2) as id
      where exists (select from registry_stats.view where stamp is not null)`,
      [job.name, trigger],
    );
    if (begun === undefined) return 'legacy';
    return begun.id === null ? 'unchanged' : { id: begun.id };
  });
}

/** Runs `work`, and records its failure or cancellation. Where it succeeds, it has recorded that itself. */
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

/** A record that cannot be written must not hide the error itself. */
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
