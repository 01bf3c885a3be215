import type { Database } from '../db/database.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest } from '../jobs/outcome.js';
import { beginRun, refreshIncrementally } from './refresh-incremental.js';
import { refreshPlain } from './refresh-plain.js';

/**
 * Runs one job, in the way that the database is ready for: incrementally, or with full scans where
 * it is still in the state of migration 001.
 */
export async function refresh(
  database: Database,
  job: Job,
  request: RefreshRequest,
  options: TransactionOptions,
): Promise<Outcome> {
  const begun = await database.write(options, (transaction) => beginRun(transaction, job, request));
  if (begun === 'plain') {
    return database.write(options, (transaction) => refreshPlain(transaction, job, request));
  }
  if (begun === 'unchanged') {
    return { outcome: 'skipped', reason: job.views.length === 0 ? 'complete' : 'unchanged' };
  }
  return refreshIncrementally(database, job, begun.id, options);
}
