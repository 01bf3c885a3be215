import type { Database } from '../db/database.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest } from '../jobs/outcome.js';
import { beginRun, refreshIncrementally } from './refresh-incremental.js';
import { refreshLegacy } from './refresh-legacy.js';

/**
 * Runs one job, in the way that the database is ready for: incrementally, or with full scans where
 * migration 101 has not run yet.
 */
export async function refresh(
  database: Database,
  job: Job,
  request: RefreshRequest,
  options: TransactionOptions,
): Promise<Outcome> {
  const begun = await database.write(options, (transaction) => beginRun(transaction, job, request));
  if (begun === 'legacy') {
    return database.write(options, (transaction) => refreshLegacy(transaction, job, request));
  }
  if (begun === 'unchanged') {
    return { outcome: 'skipped', reason: job.views.length === 0 ? 'complete' : 'unchanged' };
  }
  return refreshIncrementally(database, job, begun.id, options);
}
