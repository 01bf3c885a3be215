import { expect, test } from 'vitest';
import { jobs, type Job, type JobName } from '../src/jobs/job.js';
import type { Outcome } from '../src/jobs/outcome.js';
import { refreshPlain } from '../src/statistics/refresh-plain.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

function job(name: JobName): Job {
  const found = jobs.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

const deposits = job('update_current_deposit_stats');
const history = job('populate_all_historical_deposit_stats');
const scheduled = { isManual: false, isForced: false };
const manual = { isManual: true, isForced: false };
const forced = { isManual: true, isForced: true };

function run({ database }: TestDatabase, which: Job, request = scheduled): Promise<Outcome> {
  return database.write({ statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 }, (transaction) =>
    refreshPlain(transaction, which, request),
  );
}

test('a scheduled run refreshes once and then skips what is fresh', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);

  expect(await run(target, job('update_counts'))).toEqual({
    outcome: 'refreshed',
    detail: '4 views refreshed',
  });
  expect(await run(target, job('update_counts'))).toEqual({ outcome: 'skipped', reason: 'fresh' });
});

test('a manual run refreshes what is fresh, and shows what changed since', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await run(target, deposits);
  await target.query(`update public.generic_files set state = 'D'`);

  expect(await run(target, deposits, manual)).toEqual({
    outcome: 'refreshed',
    detail: '1 view refreshed',
  });
  expect(await target.query('select file_count from public.current_deposit_stats')).toEqual([
    { file_count: '0' },
  ]);
});

test('history says how much it inserted, then that no month is missing, even to a person', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);

  expect(await run(target, history)).toMatchObject({
    outcome: 'refreshed',
    detail: expect.stringMatching(/^\d+ months, \d+ rows inserted$/) as string,
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

    expect(await run(target, which, forced)).toEqual({ outcome: 'skipped', reason: 'busy' });
    expect(await target.query(flag)).toEqual(before);
    await other.query('commit');
    expect(await run(target, which, forced)).toMatchObject({ outcome: 'refreshed' });
  },
);

test.each(jobs)(
  '$name is not run while its flag was left at true, unless forced',
  async (which) => {
    const target = await createTestDatabase('baseline');
    await loadCsv(target.database);
    const flag = `select value from public.ar_internal_metadata where key = '${which.flag}'`;
    await target.query(`update public.ar_internal_metadata set value = 'true' where key = $1`, [
      which.flag,
    ]);

    expect(await run(target, which, manual)).toEqual({ outcome: 'skipped', reason: 'flagged' });
    expect(await run(target, which, forced)).toMatchObject({ outcome: 'refreshed' });
    expect(await target.query(flag)).toEqual([{ value: 'false' }]);
  },
);

test.each(jobs)('$name makes its flag row where it is missing', async (which) => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await target.query('delete from public.ar_internal_metadata where key = $1', [which.flag]);

  expect(await run(target, which)).toMatchObject({ outcome: 'refreshed' });
});

test('a run that fails leaves flag and figures as they were', async () => {
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
