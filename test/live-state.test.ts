import { expect, test, vi } from 'vitest';
import {
  createLiveDatabase,
  createTestStateDatabase,
  liveStateText,
  registryFunctionTexts,
  registryPriceChange,
  registryViews,
  registryViewText,
  runAs,
  type LiveDatabase,
  type RegistryView,
} from './support/live-state.js';

// As listed from the catalog of a live database.

const liveColumns = {
  current_deposit_stats:
    'institution_id integer, member_institution_id integer, institution_name character varying, ' +
    'storage_option character varying, file_count bigint, object_count bigint, ' +
    'total_bytes numeric, total_gb numeric, total_tb numeric, cost_gb_per_month numeric(12,8), ' +
    'monthly_cost numeric, end_date timestamp with time zone, primary_sort character varying, ' +
    'secondary_sort character varying',
  generic_file_counts:
    'institution_id integer, row_count bigint, state character varying, ' +
    'updated_at timestamp with time zone',
  historical_deposit_stats:
    'institution_id bigint, institution_name character varying(80), ' +
    'storage_option character varying(40), object_count bigint, file_count bigint, ' +
    'total_bytes bigint, total_gb double precision, total_tb double precision, ' +
    'cost_gb_per_month double precision, monthly_cost double precision, end_date date, ' +
    'member_institution_id integer, primary_sort character varying, ' +
    'secondary_sort character varying',
  intellectual_object_counts:
    'institution_id integer, row_count bigint, state character varying, ' +
    'updated_at timestamp with time zone',
  premis_event_counts:
    'institution_id integer, row_count bigint, event_type character varying, ' +
    'outcome character varying, updated_at timestamp with time zone',
  work_item_counts:
    'institution_id integer, row_count bigint, action character varying, ' +
    'updated_at timestamp with time zone',
};

const liveIndexes = [
  'current_deposit_stats unique ix_current_deposits_inst_id_storage_option ' +
    '(institution_id, storage_option)',
  'generic_file_counts unique ix_generic_file_counts (institution_id, state)',
  'historical_deposit_stats ix_historical_deposit_stats_end_date (end_date)',
  'historical_deposit_stats ix_historical_deposit_stats_inst_id (institution_id)',
  'historical_deposit_stats ix_historical_deposit_stats_storage_option (storage_option)',
  'historical_deposit_stats unique ix_historical_inst_opt_date ' +
    '(institution_id, storage_option, end_date)',
  'intellectual_object_counts unique ix_intellectual_object_counts (institution_id, state)',
  'premis_event_counts unique ix_premis_event_counts (institution_id, event_type, outcome)',
  'work_item_counts unique ix_work_item_counts (institution_id, action)',
];

const liveFunctions = [
  'create_constraint_if_not_exists(t_name text, c_name text, constraint_sql text) void',
  'populate_all_historical_deposit_stats() void',
  'populate_empty_deposit_stats() integer',
  'populate_historical_deposit_stats(stop_date date) integer',
  'populate_historical_deposit_stats(stop_date timestamp without time zone) integer',
  'update_counts() integer',
  'update_current_deposit_stats() integer',
];

const calls = [
  'update_counts()',
  'update_current_deposit_stats()',
  "populate_historical_deposit_stats(timestamp '2024-01-01')",
  "populate_historical_deposit_stats(date '2024-01-01')",
  'populate_empty_deposit_stats()',
  'populate_all_historical_deposit_stats()',
];

test('columns, indexes and functions are those of a live database, also when run again', async () => {
  const live = await createLiveDatabase();
  await expectLiveObjects(live);
  await runAs(live.owner, liveStateText);
  for (const view of registryViews) await runAs(live.owner, registryViewText(view));
  for (const text of registryFunctionTexts) await runAs(live.owner, text);
  await expectLiveObjects(live);
});

test('nothing belongs to a superuser', async () => {
  const { target } = await createLiveDatabase({ data: 'none' });
  const rows = await target.query(
    `select relname as name
    from pg_class join pg_roles on pg_roles.oid = relowner
    where relnamespace = 'public'::regnamespace and rolsuper
    union all
    select proname
    from pg_proc join pg_roles on pg_roles.oid = proowner
    where pronamespace = 'public'::regnamespace and rolsuper`,
  );
  expect(rows).toEqual([]);
});

test('the views are refreshed once, then kept by their age', async () => {
  const { owner } = await createLiveDatabase({ isFilled: false });
  const client = await owner.session();
  const call = async (name: string): Promise<unknown> =>
    (await client.query<{ result: unknown }>(`select ${name}() as result`)).rows[0]?.result;
  for (const name of ['update_counts', 'update_current_deposit_stats']) {
    expect([name, await call(name), await call(name)]).toEqual([name, 1, 0]);
  }
});

test('only figures older than an hour are refreshed', async () => {
  const { owner } = await createLiveDatabase();
  // The clock cannot be moved: views that say they are older take the place of the live ones.
  for (const [view, minutes] of [
    ['work_item_counts', 59],
    ['current_deposit_stats', 59],
    ['premis_event_counts', 61],
  ] as const) {
    await runAs(owner, aged(view, minutes));
  }
  const client = await owner.session();
  const call = 'select update_counts() as counts, update_current_deposit_stats() as deposits';
  expect((await client.query(call)).rows).toEqual([{ counts: 0, deposits: 0 }]);
  await runAs(owner, aged('work_item_counts', 61));
  await runAs(owner, aged('current_deposit_stats', 61));
  expect((await client.query(call)).rows).toEqual([{ counts: 1, deposits: 1 }]);
});

test('a second caller of the deposits waits for the first, and refreshes again', async () => {
  const { target, owner } = await createLiveDatabase({ isFilled: false });
  const first = await owner.session();
  const second = await owner.session();
  const call = 'select update_current_deposit_stats() as result';
  await first.query('begin');
  expect((await first.query(call)).rows).toEqual([{ result: 1 }]);
  const waiting = second.query(call);
  await vi.waitFor(async () => {
    const rows = await target.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows).toHaveLength(1);
  });
  await first.query('commit');
  expect((await waiting).rows).toEqual([{ result: 1 }]);
});

test('a committed flag, and for the counts a locked one, stops a refresh', async () => {
  const { owner } = await createLiveDatabase({ isFilled: false });
  const client = await owner.session();
  const other = await owner.session();
  const results = async (): Promise<unknown> =>
    (await client.query('select update_counts() as counts')).rows[0];

  await other.query('begin');
  await other.query('select from ar_internal_metadata for update');
  expect(await results()).toEqual({ counts: 0 });
  await other.query('rollback');

  await other.query(`update ar_internal_metadata set value = 'true'`);
  expect(await results()).toEqual({ counts: 0 });
  const { rows } = await client.query(
    `select update_current_deposit_stats() as deposits, populate_all_historical_deposit_stats()`,
  );
  expect(rows).toMatchObject([{ deposits: 0 }]);
  await expect(monthsOf(client)).resolves.toMatchObject({ months: 0 });

  await other.query(`update ar_internal_metadata set value = 'false'`);
  expect(await results()).toEqual({ counts: 1 });
});

test('every function needs public on the search_path', async () => {
  const { owner } = await createLiveDatabase();
  const client = await owner.session();
  await client.query('set search_path = pg_catalog, pg_temp');
  for (const call of calls) {
    const failed = client.query(`select public.${call}`);
    await expect(failed, call).rejects.toMatchObject({ code: '42P01' });
  }
});

test('the history has every month since 2014, and zero rows only on request', async () => {
  const { owner } = await createLiveDatabase({ isFilled: false });
  const client = await owner.session();
  await client.query('select populate_all_historical_deposit_stats()');
  const months = await monthsOf(client);
  expect(months).toMatchObject({ months: months.expected, first: '2014-01-01', zeros: 0 });
  expect(
    (await client.query(`select * from historical_deposit_stats where end_date = '2014-01-01'`))
      .rows,
  ).toMatchObject([
    { institution_name: 'All Institutions', storage_option: 'Total', file_count: '0', total_gb: 0 },
  ]);

  const empty = 'select populate_empty_deposit_stats() as result';
  expect((await client.query(empty)).rows).toEqual([{ result: 1 }]);
  expect((await client.query(empty)).rows).toEqual([{ result: 1 }]);
  // All, North and South; Total and four options.
  const { rows } = await client.query(
    `select
      count(*)::int as rows,
      count(*) filter (where (secondary_sort = 'zzz') <> (storage_option = 'Total'))::int as unsorted
    from historical_deposit_stats`,
  );
  expect(rows).toEqual([{ rows: months.expected * 15, unsorted: 0 }]);
});

test('one date is inserted once; the overload for a date cannot', async () => {
  const { owner } = await createLiveDatabase({ isFilled: false });
  const client = await owner.session();
  const call = (stopDate: string) =>
    client.query(`select populate_historical_deposit_stats(${stopDate}) as result`);
  await expect(call(`date '2024-01-01'`)).rejects.toThrow(
    'query has no destination for result data',
  );
  expect((await call(`timestamp '2024-01-01'`)).rows).toEqual([{ result: 1 }]);
  expect((await call(`timestamp '2024-01-01'`)).rows).toEqual([{ result: 0 }]);
});

test('a group without any known size shows no bytes, and two of one name show their sum', async () => {
  const { owner } = await createLiveDatabase();
  const client = await owner.session();
  const deposits = async (option: string): Promise<unknown[]> =>
    (
      await client.query<object>(
        `select institution_id, file_count, total_bytes
        from current_deposit_stats
        where storage_option = $1 and institution_id is not null
        order by 1`,
        [option],
      )
    ).rows;
  expect(await deposits('Wasabi-VA')).toEqual([
    { institution_id: 2, file_count: '2', total_bytes: null },
  ]);

  await client.query(`update institutions set name = 'North' where id = 2`);
  await client.query('refresh materialized view current_deposit_stats');
  expect(await deposits('Standard')).toEqual([
    { institution_id: 1, file_count: '5', total_bytes: '6442520576' },
    { institution_id: 2, file_count: '5', total_bytes: '6442520576' },
  ]);
});

test('a change of price computes the whole history again', async () => {
  const { owner } = await createLiveDatabase();
  const client = await owner.session();
  const cost = async (): Promise<unknown> =>
    (
      await client.query(
        `select monthly_cost
        from historical_deposit_stats
        where institution_id = 1 and storage_option = 'Standard' and end_date = '2022-04-01'`,
      )
    ).rows[0];
  expect(await cost()).toEqual({ monthly_cost: 6 * 0.41016 });
  await runAs(owner, registryPriceChange('Standard', 0.5));
  expect(await cost()).toEqual({ monthly_cost: 3 });
});

test('a test database has the same objects and no migration on record', async () => {
  const live = await createTestStateDatabase({ data: { sampleFiles: 500 } });
  await expectLiveObjects(live);
  expect(await live.target.query('select version from public.schema_migrations')).toEqual([]);
});

test('a live database has Registry’s migrations on record, and an empty view can be filled', async () => {
  const { owner } = await createLiveDatabase({ data: 'fixtures' });
  const client = await owner.session();
  const { rows } = await client.query(
    `select count(*)::int as versions, min(version) as first, max(version) as last
    from schema_migrations
    where finished_at is not null`,
  );
  expect(rows).toEqual([{ versions: 12, first: '001_deposit_stats', last: '012_posix_metadata' }]);

  await runAs(owner, registryViewText('current_deposit_stats', { isFilled: false }));
  const count = 'select count(*) > 0 as filled from current_deposit_stats';
  await expect(client.query(count)).rejects.toThrow('has not been populated');
  await client.query('refresh materialized view current_deposit_stats');
  expect((await client.query(count)).rows).toEqual([{ filled: true }]);
});

/** The file of a view whose figures say that they are so many minutes old. */
function aged(view: RegistryView, minutes: number): string {
  return registryViewText(view).replace(
    'current_timestamp as',
    `current_timestamp - interval '${minutes} minutes' as`,
  );
}

interface Months {
  months: number;
  expected: number;
  first: string;
  zeros: number;
}

async function monthsOf(client: Awaited<ReturnType<LiveDatabase['owner']['session']>>) {
  const { rows } = await client.query<Months>(
    `select
      count(distinct end_date)::int as months,
      min(end_date)::text as first,
      count(*) filter (where file_count = 0 and institution_id is not null)::int as zeros,
      (
        select count(*)::int
        from generate_series(timestamp '2014-01-01', now() at time zone 'utc', interval '1 month')
      ) as expected
    from historical_deposit_stats`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('expected a row of totals');
  return row;
}

async function expectLiveObjects({ target }: LiveDatabase): Promise<void> {
  const columns = await target.query<{ name: string; columns: string }>(
    `select
      relname as name,
      string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' order by attnum)
        as columns
    from pg_class join pg_attribute on attrelid = pg_class.oid
    where relnamespace = 'public'::regnamespace
      and (relkind = 'm' or relname = 'historical_deposit_stats')
      and relkind in ('m', 'r') and attnum > 0
    group by 1`,
  );
  expect(Object.fromEntries(columns.map((row) => [row.name, row.columns]))).toEqual(liveColumns);

  const indexes = await target.query<{ text: string }>(
    `select
      format(
        '%s %s%s (%s)',
        indrelid::regclass,
        case when indisunique then 'unique ' end,
        pg_class.relname,
        (
          select string_agg(pg_get_indexdef(indexrelid, position, true), ', ' order by position)
          from generate_series(1, indnatts) as position
        )
      ) as text
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    join pg_class as indexed on indexed.oid = indrelid
    where indexed.relkind = 'm' or indexed.relname = 'historical_deposit_stats'
    order by indexed.relname collate "C", pg_class.relname collate "C"`,
  );
  expect(indexes.map(({ text }) => text.replace(/^public\./, ''))).toEqual(liveIndexes);

  const functions = await target.query<{ text: string }>(
    `select
      format(
        '%s(%s) %s', proname, pg_get_function_arguments(pg_proc.oid), prorettype::regtype
      ) as text
    from pg_proc join pg_language on pg_language.oid = prolang
    where pronamespace = 'public'::regnamespace
      and lanname = 'plpgsql' and provolatile = 'v' and not prosecdef and proconfig is null
    order by 1`,
  );
  expect(functions.map(({ text }) => text)).toEqual(liveFunctions);
}
