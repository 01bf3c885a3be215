import { expect, test } from 'vitest';
import { jobNames, jobs } from '../src/jobs/job.js';
import { beginRound } from '../src/jobs/outcome.js';
import { refresh } from '../src/statistics/refresh.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

type State = 'baseline' | 'migrated';

async function withFixtures(state: State = 'migrated'): Promise<TestDatabase> {
  const target = await createTestDatabase(state);
  await loadCsv(target.database);
  return target;
}

async function refreshAll({ query }: TestDatabase): Promise<void> {
  await query('select public.update_counts(), public.update_current_deposit_stats()');
  await query('select public.populate_all_historical_deposit_stats()');
}

/** Returns rows that only one side has, both ways. */
async function differences(
  { query }: TestDatabase,
  one: string,
  other: string,
): Promise<unknown[]> {
  const [left, right] = [`(${one})`, `(${other})`];
  return query(`(${left} except all ${right}) union all (${right} except all ${left})`);
}

/** Returns each grouping set by itself: the truth without cube. */
function countsTruth(table: string, keys: readonly string[]): string {
  const sets = Array.from({ length: 2 ** keys.length }, (_, mask) =>
    keys.filter((_key, bit) => (mask & (1 << bit)) !== 0),
  );
  return sets
    .map((set) => {
      const columns = keys.map((key) => (set.includes(key) ? key : `null as ${key}`)).join(', ');
      const grouping = set.length === 0 ? '' : `group by ${set.join(', ')}`;
      return `select count(*) as row_count, ${columns} from public.${table} ${grouping}`;
    })
    .join(' union all ');
}

test.each([
  ['premis_event_counts', 'premis_events', ['institution_id', 'event_type', 'outcome']],
  ['intellectual_object_counts', 'intellectual_objects', ['institution_id', 'state']],
  ['generic_file_counts', 'generic_files', ['institution_id', 'state']],
  ['work_item_counts', 'work_items', ['institution_id', 'action']],
] as const)(
  '%s has every total of %s, and real NULL keys next to the totals',
  async (view, table, keys) => {
    const target = await withFixtures();
    await refreshAll(target);

    const shown = `select row_count, ${keys.join(', ')} from public.${view}`;
    expect(await differences(target, shown, countsTruth(table, keys))).toEqual([]);
  },
);

test('each of the ten ordinary views shows rows of the fixtures', async () => {
  const { query } = await withFixtures();
  const views = await query<{ viewname: string }>(
    `select viewname from pg_views where schemaname = 'public' order by viewname`,
  );

  expect(views).toHaveLength(10);
  for (const { viewname } of views) {
    const rows = await query(`select from public.${viewname} limit 1`);
    expect(rows, viewname).toHaveLength(1);
  }
});

test('deposits count active files, distinct objects, bytes and cost by institution id', async () => {
  const target = await withFixtures();
  await refreshAll(target);

  const [total] = await target.query(
    `select file_count, object_count, total_bytes, cost_gb_per_month, monthly_cost, primary_sort
    from public.current_deposit_stats where secondary_sort = 'zzz' and primary_sort = 'zzz'`,
  );
  const [truth] = await target.query(
    `select count(*) as file_count, count(distinct intellectual_object_id) as object_count,
      sum(size) as total_bytes, null as cost_gb_per_month, null as monthly_cost, 'zzz' as primary_sort
    from public.generic_files where state = 'A'`,
  );
  expect(total).toEqual(truth);
  const [standard] = await target.query(
    `select cost_gb_per_month, monthly_cost = total_bytes / 1073741824 * 0.41016 as is_right
    from public.current_deposit_stats
    where storage_option = 'Standard' and institution_id is null`,
  );
  expect(standard).toEqual({ cost_gb_per_month: '0.41016000', is_right: true });
});

test('two institutions of one name keep figures of their own', async () => {
  const target = await withFixtures();
  await target.query(`update public.institutions set name = 'Twin University'`);
  await refreshAll(target);

  const shown = await target.query(
    `select institution_id, file_count from public.current_deposit_stats
    where storage_option = 'Total' and institution_id is not null`,
  );
  const truth = await target.query(
    `select institution_id, count(*) as file_count from public.generic_files
    where state = 'A' group by 1`,
  );
  expect(shown.length).toBeGreaterThan(2);
  expect(shown).toHaveLength(truth.length);
  expect(shown).toEqual(expect.arrayContaining(truth));
});

test('files of an institution that does not exist are counted, without a name', async () => {
  const target = await withFixtures();
  await target.query(
    `insert into public.generic_files
      (identifier, size, state, institution_id, uuid, created_at, updated_at)
    values ('orphan', 7, 'A', 999, 'orphan', '2020-01-01', '2020-01-01')`,
  );
  await refreshAll(target);

  const rows = await target.query(
    `select institution_name, storage_option, file_count, object_count, total_bytes
    from public.current_deposit_stats where institution_id = 999 order by 2`,
  );
  const figures = { institution_name: null, file_count: '1', object_count: '0', total_bytes: '7' };
  expect(rows).toEqual([
    { ...figures, storage_option: 'Standard' },
    { ...figures, storage_option: 'Total' },
  ]);
});

test('empty tables have one grand total with zeros', async () => {
  const target = await createTestDatabase('migrated');
  await refreshAll(target);

  for (const view of [
    'premis_event_counts',
    'intellectual_object_counts',
    'generic_file_counts',
    'work_item_counts',
  ]) {
    expect(await target.query(`select row_count, institution_id from public.${view}`)).toEqual([
      { row_count: '0', institution_id: null },
    ]);
  }
  expect(
    await target.query(
      'select institution_name, storage_option, file_count, total_bytes from public.current_deposit_stats',
    ),
  ).toEqual([
    {
      institution_name: 'All Institutions',
      storage_option: 'Total',
      file_count: '0',
      total_bytes: '0',
    },
  ]);
});

test('the functions return 1 after a refresh and 0 while the figures are fresh', async () => {
  const { query } = await withFixtures('baseline');
  const call =
    'select public.update_counts() as counts, public.update_current_deposit_stats() as deposits';

  expect(await query(call)).toEqual([{ counts: 1, deposits: 1 }]);
  expect(await query(call)).toEqual([{ counts: 0, deposits: 0 }]);
});

test('figures older than an hour are refreshed', async () => {
  const { query } = await withFixtures('baseline');
  await query('select public.update_current_deposit_stats()');
  const [view] = await query<{ definition: string }>(
    `select pg_get_viewdef('public.current_deposit_stats'::regclass) as definition`,
  );
  const aged = view?.definition.replace(
    'CURRENT_TIMESTAMP',
    `(CURRENT_TIMESTAMP - interval '61 min')`,
  );
  await query('drop materialized view public.current_deposit_stats');
  await query(`create materialized view public.current_deposit_stats as ${aged ?? ''}`);
  await query(
    `create unique index on public.current_deposit_stats (institution_id, storage_option)`,
  );

  expect(await query('select public.update_current_deposit_stats() as result')).toEqual([
    { result: 1 },
  ]);
});

test('without a work item of an institution every call refreshes the counts', async () => {
  const { query } = await withFixtures('baseline');
  await query('delete from public.alerts_work_items');
  await query('delete from public.work_items');
  const call = 'select public.update_counts() as result';

  expect(await query(call)).toEqual([{ result: 1 }]);
  expect(await query(call)).toEqual([{ result: 1 }]);
});

test('history has every month since 2014, a full grid, and each month once', async () => {
  const target = await withFixtures();
  await refreshAll(target);
  await refreshAll(target);

  const [grid] = await target.query<{ rows: string; cells: string; months: string }>(
    `select count(*) as rows,
      count(distinct end_date) * count(distinct coalesce(institution_id, -1))
        * count(distinct storage_option) as cells,
      count(distinct end_date) as months
    from public.historical_deposit_stats`,
  );
  const [expected] = await target.query<{ months: string }>(
    `select count(*) as months
    from generate_series(timestamp '2014-01-01', now() at time zone 'utc', '1 month')`,
  );
  expect(grid?.rows).toBe(grid?.cells);
  expect(grid?.months).toBe(expected?.months);
});

test('zero rows fill only what is missing, with the last name of an institution that is gone', async () => {
  const { query } = await withFixtures();
  await query('select public.populate_all_historical_deposit_stats()');
  const fill = async (): Promise<string | undefined> => {
    const [row] = await query<{ count: string }>(
      'select registry_stats.insert_zero_rows() as count',
    );
    return row?.count;
  };
  expect(await fill()).toBe('0');
  const [known] = await query<{ id: string }>(
    'select min(institution_id) as id from public.historical_deposit_stats',
  );

  // Written by hand: no month, no storage option, a grand total twice.
  await query(
    `insert into public.historical_deposit_stats (institution_id, storage_option, end_date)
    values ($1, 'Total', null), ($1, null, '2020-01-01'), (null, 'Total', '2020-01-01')`,
    [known?.id],
  );
  expect(await fill()).toBe('0');

  await query(
    `delete from public.historical_deposit_stats
    where institution_id = $1 and storage_option = 'Total' and end_date = '2020-01-01'`,
    [known?.id],
  );
  expect(await fill()).toBe('1');

  await query(
    `insert into public.historical_deposit_stats
      (institution_id, institution_name, storage_option, end_date)
    values (987654, 'Gone University', 'Total', '2020-01-01')`,
  );
  const [grid] = await query<{ count: string }>(
    `select count(distinct end_date) * count(distinct storage_option) - 1 as count
    from public.historical_deposit_stats`,
  );
  expect(await fill()).toBe(grid?.count);
  expect(
    await query(
      'select distinct institution_name as name from public.historical_deposit_stats where institution_id = 987654',
    ),
  ).toEqual([{ name: 'Gone University' }]);
});

test('the history of a month has the files created before it', async () => {
  const target = await withFixtures();
  await refreshAll(target);

  const wrong = await target.query(
    `select end_date, file_count, total_bytes
    from public.historical_deposit_stats as history
    where institution_id is null and storage_option = 'Total'
      and (file_count, total_bytes) <> (
        select count(*), coalesce(sum(size), 0) from public.generic_files
        where state = 'A' and created_at < history.end_date
      )`,
  );
  expect(wrong).toEqual([]);
});

test('a run of the history has the time of its transaction, and none during another run', async () => {
  const target = await withFixtures();
  const asOf = (): Promise<unknown[]> =>
    target.query(
      `select job.data_as_of as job, run.data_as_of as run
      from registry_stats.job
      join registry_stats.run on run.job = job.name
      where job.name = 'populate_all_historical_deposit_stats'
      order by run.id desc
      limit 1`,
    );
  const other = await target.session();
  await other.query('begin');
  await other.query('select registry_stats.try_lock()');
  await target.query('select public.populate_all_historical_deposit_stats()');
  expect(await asOf()).toEqual([{ job: null, run: null }]);
  await other.query('rollback');

  const history = jobs[2];
  const request = {
    trigger: 'schedule',
    jobs: jobNames,
    isManual: false,
  } as const;
  const options = { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000 };
  if (history === undefined) throw new Error('no job');
  const [before] = await target.query<{ now: Date }>('select now()');
  await refresh(target.database, history, beginRound(request), options);
  const [seen] = (await asOf()) as { job: Date; run: Date }[];
  expect(seen?.run.getTime()).toBeGreaterThanOrEqual(before?.now.getTime() ?? NaN);
  expect(seen?.job).toEqual(seen?.run);

  // A month is missing again, by a long transaction of Registry's.
  await target.query(`delete from public.historical_deposit_stats where end_date = '2020-01-01'`);
  await other.query('begin');
  const { rows } = await other.query<{ now: Date }>('select now()');
  await target.query('select pg_sleep(0.01)');
  await other.query('select public.populate_all_historical_deposit_stats()');
  await other.query('commit');
  expect(await asOf()).toEqual([{ job: rows[0]?.now, run: rows[0]?.now }]);
});

test('one date can be populated alone, by date and by timestamp, once', async () => {
  const { query } = await withFixtures();

  expect(
    await query(`select public.populate_historical_deposit_stats('2021-05-01'::date) as result`),
  ).toEqual([{ result: 1 }]);
  expect(
    await query(
      `select public.populate_historical_deposit_stats('2021-05-01'::timestamp) as result`,
    ),
  ).toEqual([{ result: 0 }]);
  expect(
    await query(
      `select public.populate_historical_deposit_stats('2021-06-01'::timestamp) as result`,
    ),
  ).toEqual([{ result: 1 }]);
});

test('every function has a safe search_path and a comment', async () => {
  const { query } = await createTestDatabase('migrated');

  expect(
    await query(
      `select p.oid::regprocedure::text as name
      from pg_proc as p
      where p.pronamespace in ('public'::regnamespace, to_regnamespace('registry_stats'))
        and (
          not coalesce(p.proconfig @> array['search_path=pg_catalog, pg_temp'], false)
          or obj_description(p.oid) is null
        )`,
    ),
  ).toEqual([]);
});
