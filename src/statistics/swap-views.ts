import type { Database } from '../db/database.js';
import { errorCodeOf, sqlstate } from '../db/sqlstate.js';
import type { TransactionOptions } from '../db/transaction.js';
import { AppError } from '../errors.js';
import { withRetries } from './rebuild.js';

/** Replaces views of others, and missing views, by ours. Returns whether it replaced any. */
export async function swapViews(
  database: Database,
  options: Pick<TransactionOptions, 'lockTimeoutMs' | 'signal'>,
): Promise<boolean> {
  const [swapped] = await withRetries(options, () =>
    database.write({ ...options, statementTimeoutMs: 0 }, ({ query }) =>
      query<{ did: boolean }>('select registry_stats.swap_views() as did'),
    ),
  ).catch((error: unknown) => {
    if (errorCodeOf(error) !== sqlstate.dependentObjectsStillExist) throw error;
    const { message, hint = '' } = error as { message: string; hint?: string };
    throw new AppError('DEPENDENT_OBJECTS', message, { hint, cause: error });
  });
  return swapped?.did === true;
}
