import type { Database } from '../db/database.js';
import { errorCodeOf, sqlstate } from '../db/sqlstate.js';
import type { TransactionOptions } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import { rebuildIfInexact } from './rebuild.js';
import { swapViews } from './swap-views.js';

/** Returns whether a repair would change anything for the job. */
export async function needsRepair(database: Database, job: Job): Promise<boolean> {
  return (await findRepairable(database)).some((problem) => problem.job === job.name);
}

/**
 * Rebuilds the untrusted tables, each in one snapshot. Replaces the job's views that no longer read
 * our rollups. Returns what it repaired and why, for the run's record.
 */
export async function repair(
  database: Database,
  job: Job,
  options: TransactionOptions,
): Promise<string[]> {
  const repaired: string[] = [];
  const tables = (await findRepairable(database)).filter(({ isView }) => !isView);
  for (const [name, reason] of new Map(tables.map((table) => [table.name, table.reason]))) {
    const isRebuilt = await rebuildIfInexact(database, name, options);
    if (isRebuilt) repaired.push(`${name} rebuilt: ${reason}`);
  }
  const views = (await findRepairable(database)).filter(
    (problem) => problem.isView && problem.job === job.name,
  );
  if (views.length > 0 && (await swapIfTrusted(database, options))) {
    repaired.push(...views.map(({ name, reason }) => `${name} created again: ${reason}`));
  }
  return repaired;
}

/** Returns false if a table became untrusted since its rebuild. The next pass rebuilds it. */
async function swapIfTrusted(database: Database, options: TransactionOptions): Promise<boolean> {
  try {
    return await swapViews(database, options);
  } catch (error) {
    if (errorCodeOf(error) === sqlstate.objectNotInPrerequisiteState) return false;
    throw error;
  }
}

interface Repairable extends Record<string, unknown> {
  readonly job: string;
  readonly name: string;
  readonly reason: string;
  readonly isView: boolean;
}

function findRepairable(database: Database): Promise<Repairable[]> {
  return database.write({ statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 }, async ({ query }) => {
    await query('select registry_stats.check_sources()');
    return query<Repairable>(
      `select
        problem.job,
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
