import { safeSearchPath } from '../db/begin.js';
import type { Transaction } from '../db/transaction.js';
import type { Job } from '../jobs/job.js';
import type { Outcome, RefreshRequest } from '../jobs/outcome.js';

/**
 * Runs one job inside a transaction, on the plain statistics of migration 001.
 *
 * Two locks are taken first, without waiting; if another session holds one, the run is skipped as
 * busy. The advisory lock is that of the incremental runs, so that a daemon that has seen the
 * migration and one that has not never work at the same time. The job's flag row is held by
 * Registry's own call. The locks and the flag go with the transaction, however it ends.
 */
export async function refreshPlain(
  transaction: Transaction,
  job: Job,
  request: Pick<RefreshRequest, 'isManual' | 'isForced'>,
): Promise<Outcome> {
  if (!(await tryRunLock(transaction))) return { outcome: 'skipped', reason: 'busy' };
  const flag = await lockFlag(transaction, job);
  if (flag === 'locked') return { outcome: 'skipped', reason: 'busy' };
  if (flag === 'true' && !request.isForced) return { outcome: 'skipped', reason: 'flagged' };
  if (flag === 'true') await clearFlag(transaction, job);

  if (job.views.length === 0) return populateHistory(transaction, job);
  return request.isManual ? refreshViews(transaction, job) : callFunction(transaction, job);
}

/** The lock of registry_stats.try_lock, which this state of the database may not have. */
async function tryRunLock({ query }: Transaction): Promise<boolean> {
  const [lock] = await query<{ isTaken: boolean }>(
    'select pg_catalog.pg_try_advisory_xact_lock(1919247220, 102) as "isTaken"',
  );
  return lock?.isTaken === true;
}

async function lockFlag(transaction: Transaction, job: Job): Promise<'true' | 'false' | 'locked'> {
  // A database whose flag row is missing gets it: the functions would take its absence for "running".
  await transaction.query(
    `insert into public.ar_internal_metadata (key, value, created_at, updated_at)
    select $1::varchar, 'false', moment, moment
    from pg_catalog.timezone('utc', pg_catalog.clock_timestamp()) as moment
    where not exists (select from public.ar_internal_metadata where key = $1::varchar)
    on conflict (key) do nothing`,
    [job.flag],
  );
  const [locked] = await transaction.query<{ value: string }>(
    'select value from public.ar_internal_metadata where key = $1 for update skip locked',
    [job.flag],
  );
  if (locked === undefined) return 'locked';
  return locked.value === 'true' ? 'true' : 'false';
}

async function clearFlag(transaction: Transaction, job: Job): Promise<void> {
  await transaction.query(
    `update public.ar_internal_metadata
    set value = 'false', updated_at = pg_catalog.clock_timestamp() at time zone 'utc'
    where key = $1`,
    [job.flag],
  );
}

/** The function decides by age; 0 can only mean fresh here, the flag is ours. */
async function callFunction(transaction: Transaction, job: Job): Promise<Outcome> {
  const result = await callRegistry(transaction, job);
  if (result === 0) return { outcome: 'skipped', reason: 'fresh' };
  return { outcome: 'refreshed', detail: viewsRefreshed(job) };
}

/**
 * A live Registry has bodies of its own, whose names may mean whatever the role's search_path says:
 * for them it is as if Registry had called.
 */
async function callRegistry({ query }: Transaction, { name }: Job): Promise<number | null> {
  await query('set local search_path to default');
  const [row] = await query<{ result: number | null }>(`select public.${name}() as result`);
  await query(`set local search_path = ${safeSearchPath}`);
  return row?.result ?? null;
}

/** The same refresh without the guard by age, which 001's functions cannot leave out. */
async function refreshViews(transaction: Transaction, job: Job): Promise<Outcome> {
  for (const view of job.views) {
    await transaction.query(`refresh materialized view concurrently public.${view}`);
  }
  return { outcome: 'refreshed', detail: viewsRefreshed(job) };
}

/** The history has no guard by age: what is missing is inserted, whoever asks. */
async function populateHistory(transaction: Transaction, job: Job): Promise<Outcome> {
  const before = await historySize(transaction);
  await callRegistry(transaction, job);
  const after = await historySize(transaction);
  if (after.rows === before.rows) return { outcome: 'skipped', reason: 'complete' };
  const months = after.months - before.months;
  const rows = after.rows - before.rows;
  return { outcome: 'refreshed', detail: `${months} months, ${rows} rows inserted` };
}

async function historySize(transaction: Transaction): Promise<{ rows: number; months: number }> {
  const [size] = await transaction.query<{ rows: string; months: string }>(
    `select count(*) as rows, count(distinct end_date) as months
    from public.historical_deposit_stats`,
  );
  return { rows: Number(size?.rows), months: Number(size?.months) };
}

function viewsRefreshed(job: Job): string {
  return job.views.length === 1 ? '1 view refreshed' : `${job.views.length} views refreshed`;
}
