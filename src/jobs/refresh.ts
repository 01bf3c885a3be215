import type { Database, TransactionOptions } from '../db/database.js';
import { isIncremental } from '../statistics/installation.js';
import type { Job } from './job.js';
import type { Outcome, RefreshRequest } from './outcome.js';
import { refreshIncrementally } from './refresh-incremental.js';
import { refreshPlain } from './refresh-plain.js';

/**
 * Runs one job, in the way that the database is ready for: incrementally, or with full scans where
 * it is still in the state of migration 001. Looked up at each run: a migration may come between.
 */
export async function refresh(
  database: Database,
  job: Job,
  request: RefreshRequest,
  options: TransactionOptions,
): Promise<Outcome> {
  if (await isIncremental(database)) {
    return refreshIncrementally(database, job, request, options);
  }
  return database.write(options, (transaction) => refreshPlain(transaction, job, request));
}
