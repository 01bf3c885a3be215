import type { Query } from '../../src/db/transaction.js';
import { jobNames } from '../../src/jobs/job.js';
import { ownDifferences, wrongFigures, wrongRollups } from './truth.js';

/**
 * Compares views, live views, rollups and totals with the tables after a last refresh, both ways.
 */
export async function finalDifferences(query: Query): Promise<unknown[]> {
  for (const job of jobNames) await query(`select public.${job}()`);
  return [
    ...(await ownDifferences(query)),
    ...(await wrongFigures(query, 'public.')),
    ...(await wrongFigures(query, 'registry_stats.live_')),
    ...(await wrongRollups(query)),
    ...(await query('select * from registry_stats.delta')),
  ];
}
