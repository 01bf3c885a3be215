import { expect, test } from 'vitest';
import { jobNamed, jobs, type Job } from '../src/jobs/job.js';
import type { Outcome } from '../src/jobs/outcome.js';
import { refreshLegacy } from '../src/statistics/refresh-legacy.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

const deposits = jobNamed('update_current_deposit_stats');
const history = jobNamed('populate_all_historical_deposit_stats');
const scheduled = { isManual: false };
const manual = { isManual: true };

function run({ database }: TestDatabase, which: Job, request = scheduled): Promise<Outcome> {
  return database.write({ statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 }, (transaction) =>
    refreshLegacy(transaction, which, request),
  );
}

const declined = { outcome: 'skipped', reason: 'declined' };
const refreshed = (which: Job) => ({
  outcome: 'refreshed',
  detail: `${which.views.length} view${which.views.length === 1 ? '' : 's'}, full scan`,
});

test('a scheduled run calls the function, which skips young figures', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);

  expect(await run(target, deposits)).toEqual(refreshed(deposits));
  expect(await run(target, deposits)).toEqual(declined);
});

test('a manual run refreshes young figures, and shows what changed since', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await run(target, deposits);
  await target.query(`update public.generic_files set state = 'D'`);

  expect(await run(target, deposits, manual)).toEqual(refreshed(deposits));
  expect(await target.query('select file_count from public.current_deposit_stats')).toEqual([
    { file_count: '0' },
  ]);
});

test('the history reports its new rows, then that no month is missing, also for a manual run', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);

  expect(await run(target, history)).toMatchObject({
    outcome: 'refreshed',
    detail: expect.stringMatching(/^[\d,]+ rows added$/) as string,
  });
  expect(await run(target, history, manual)).toEqual({ outcome: 'skipped', reason: 'complete' });
});

test.each(jobs)('$name is skipped as busy while another session runs it', async (which) => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  const other = await target.session();
  await other.query('begin');
  await other.query(`select public.${which.name}()`);

  expect(await run(target, which, manual)).toEqual({ outcome: 'skipped', reason: 'busy' });
  await other.query('commit');
  expect(await run(target, which)).toMatchObject({ outcome: 'skipped' });
});

test.each(jobs)(
  '$name is skipped as busy while another session holds the lock of the runs',
  async (which) => {
    const target = await createTestDatabase('baseline');
    await loadCsv(target.database);
    const flag = `select xmin::text, value from public.ar_internal_metadata where key = '${which.flag}'`;
    const before = await target.query(flag);
    const other = await target.session();
    await other.query('begin');
    await other.query('select pg_advisory_xact_lock(1919247220, 102)');

    expect(await run(target, which, manual)).toEqual({ outcome: 'skipped', reason: 'busy' });
    expect(await target.query(flag)).toEqual(before);
    await other.query('commit');
    expect(await run(target, which, manual)).toMatchObject({ outcome: 'refreshed' });
  },
);

test('a stale flag makes the function skip, but not a manual run', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  const counts = jobNamed('update_counts');
  await target.query(`update public.ar_internal_metadata set value = 'true' where key = $1`, [
    counts.flag,
  ]);

  expect(await run(target, counts)).toEqual(declined);
  expect(await run(target, counts, manual)).toEqual(refreshed(counts));

  await target.query(`update public.ar_internal_metadata set value = 'true' where key = $1`, [
    history.flag,
  ]);
  expect(await run(target, history)).toEqual(declined);
});

test('a failed run leaves flag and figures unchanged', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await run(target, deposits);
  const before = await target.query('select * from public.current_deposit_stats order by 1, 4');
  await target.query('drop index public.ix_current_deposits_inst_id_storage_option');

  await expect(run(target, deposits, manual)).rejects.toThrow(
    'cannot refresh materialized view "public.current_deposit_stats" concurrently',
  );
  expect(await target.query('select * from public.current_deposit_stats order by 1, 4')).toEqual(
    before,
  );
  expect(
    await target.query(`select from public.ar_internal_metadata where value = 'true'`),
  ).toEqual([]);
});

test("a live Registry's own bodies find their tables by the search_path of the role", async () => {
  const target = await createTestDatabase('baseline');
  await target.query(
    `create or replace function public.update_current_deposit_stats() returns integer
    language plpgsql as $$
    begin
      refresh materialized view concurrently current_deposit_stats;
      return (select count(*) from ar_internal_metadata limit 1);
    end $$;
    alter function public.update_current_deposit_stats() reset search_path`,
  );

  expect(await run(target, deposits)).toMatchObject({ outcome: 'refreshed' });
});
