import { safeSearchPath } from '../db/begin.js';
import type { Transaction } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest } from '../jobs/outcome.js';

/**
 * Runs one job in the legacy state. Calls Registry's function, or refreshes the views itself for a
 * manual run, because the function skips young figures.
 */
export async function refreshLegacy(
  transaction: Transaction,
  job: Job,
  { isManual }: Pick<RefreshRequest, 'isManual'>,
): Promise<Outcome> {
  if (!(await tryLocks(transaction, job))) return { outcome: 'skipped', reason: 'busy' };
  if (job.views.length === 0) return fillHistory(transaction, job);
  if (isManual) {
    for (const view of job.views) {
      await transaction.query(`refresh materialized view concurrently public.${view}`);
    }
  } else if ((await callRegistry(transaction, job)) === 0) {
    return { outcome: 'skipped', reason: 'declined' };
  }
  const views = job.views.length === 1 ? '1 view' : `${job.views.length} views`;
  return { outcome: 'refreshed', detail: `${views}, full scan` };
}

async function fillHistory(transaction: Transaction, job: Job): Promise<Outcome> {
  const before = await historyRows(transaction);
  await callRegistry(transaction, job);
  const inserted = (await historyRows(transaction)) - before;
  if (inserted === 0) {
    const [flagged] = await transaction.query(
      `select from public.ar_internal_metadata where key = $1 and value = 'true'`,
      [job.flag],
    );
    return { outcome: 'skipped', reason: flagged === undefined ? 'complete' : 'declined' };
  }
  return { outcome: 'refreshed', detail: `${inserted.toLocaleString('en-US')} rows added` };
}

async function historyRows({ query }: Transaction): Promise<number> {
  const [row] = await query<{ count: string }>(
    'select count(*) from public.historical_deposit_stats',
  );
  return Number(row?.count);
}

/**
 * Takes two locks without waiting. The first is registry_stats.try_lock's, so daemons before and
 * after the migration never run together. The second is the row that Registry's function updates
 * first.
 */
async function tryLocks({ query }: Transaction, { flag }: Job): Promise<boolean> {
  const [locks] = await query<{ areTaken: boolean }>(
    `with free as (
      select from public.ar_internal_metadata where key = $1 for update skip locked
    )
    select pg_catalog.pg_try_advisory_xact_lock(1919247220, 102)
      and (select count(*) from free)
        = (select count(*) from public.ar_internal_metadata where key = $1) as "areTaken"`,
    [flag],
  );
  return locks?.areTaken === true;
}

/** Calls Registry's function with the role's search_path, which its body relies on. */
async function callRegistry({ query }: Transaction, { name }: Job): Promise<number | undefined> {
  await query('set local search_path to default');
  const [row] = await query<{ result: number }>(`select public.${name}() as result`);
  await query(`set local search_path = ${safeSearchPath}`);
  return row?.result;
}
