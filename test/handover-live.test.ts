import { expect, test, vi } from 'vitest';
import { readIntendedChanges } from '../src/schema/intended-changes.js';
import { readPlan } from '../src/schema/plan.js';
import { printPending } from '../src/schema/print.js';
import { readSqlFiles } from '../src/schema/sql-files.js';
import { uninstall } from '../src/schema/uninstall.js';
import { verify } from '../src/statistics/verify.js';
import { wrongFigures } from './exactness/truth.js';
import {
  createLiveDatabase,
  createTestStateDatabase,
  registryHourly,
  registryPriceChange,
  registryStart,
  runAs,
  type LiveDatabase,
} from './support/live-state.js';
import { migrateAs, type Login } from './support/owned-database.js';
import { runEachJob } from './support/run-each-job.js';
import { runScript } from './support/run-script.js';
import { quietly } from './support/migrate-options.js';

// Starts from the state of production: in, through a month and a change of prices, out, and in
// again.

const files = await readSqlFiles();

async function byPsql({ database, session }: Login): Promise<void> {
  const plan = await readPlan((text, values) => database.read(text, values), files);
  expect(await runScript(await session(), await printPending(plan, files))).toEqual([]);
}

async function takeOut(owner: Login): Promise<void> {
  await uninstall(owner.database, {
    migrations: files.migrations,
    ...quietly,
  });
}

/** Returns every property of every object in public from the catalogs, without oids. */
function catalog({ target }: LiveDatabase): Promise<unknown[]> {
  return target.query(
    `select 'relation' as kind, pg_class.oid::regclass::text as name, jsonb_build_array(
      relkind, relowner::regrole, relacl::text, relpersistence, relispopulated, reloptions,
      obj_description(pg_class.oid, 'pg_class'),
      case when relkind in ('v', 'm') then pg_get_viewdef(pg_class.oid) end,
      (select jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod), attnotnull,
          attacl::text, attstattarget, attstorage, attcompression, attoptions,
          col_description(attrelid, attnum)) order by attnum)
        from pg_attribute where attrelid = pg_class.oid and attnum > 0),
      (select jsonb_agg(jsonb_build_array(pg_get_indexdef(indexrelid), indisclustered, indisvalid,
          obj_description(indexrelid, 'pg_class')) order by indexrelid::regclass::text)
        from pg_index where indrelid = pg_class.oid),
      (select jsonb_agg(jsonb_build_array(pg_get_statisticsobjdef(oid), stxstattarget,
          obj_description(oid, 'pg_statistic_ext')) order by stxname)
        from pg_statistic_ext where stxrelid = pg_class.oid),
      (select jsonb_agg(pg_get_triggerdef(oid) order by tgname)
        from pg_trigger where tgrelid = pg_class.oid and not tgisinternal),
      (select jsonb_agg(pg_get_constraintdef(oid) order by conname)
        from pg_constraint where conrelid = pg_class.oid)
    )::text as properties
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'S', 'p')
    union all
    select 'function', oid::regprocedure::text, jsonb_build_array(
      pg_get_functiondef(oid), proowner::regrole, proacl::text, obj_description(oid, 'pg_proc')
    )::text
    from pg_proc where pronamespace = 'public'::regnamespace and prokind = 'f'
    union all
    select 'schema', nspname, nspacl::text from pg_namespace where nspname !~ '^pg_(toast|temp)'
    union all
    select 'row', version, null from public.schema_migrations
    union all
    select 'metadata', key, null from public.ar_internal_metadata
    order by 1, 2`,
  );
}

async function history({ target }: LiveDatabase): Promise<unknown[]> {
  return target.query(
    `select institution_id, storage_option, end_date, file_count, object_count, total_bytes,
      round(monthly_cost::numeric, 6) as monthly_cost
    from public.historical_deposit_stats
    where file_count > 0
    order by end_date, institution_id, storage_option`,
  );
}

async function expectExact(live: LiveDatabase): Promise<void> {
  const query = (text: string): Promise<never[]> => live.owner.database.read(text);
  expect(await wrongFigures(query, 'public.')).toEqual([]);
  expect((await verify(live.owner.database)).differences).toEqual([]);
}

/** Objects that operators put on a view. */
const putOnViews = `
  comment on materialized view public.work_item_counts is 'Read by the reports.';
  comment on column public.work_item_counts.row_count is 'Rows.';
  comment on index public.ix_work_item_counts is 'The one.';
  create index work_item_counts_rows on public.work_item_counts (row_count desc) where row_count > 3;
  alter materialized view public.work_item_counts set (autovacuum_enabled = false, fillfactor = 70);
  alter materialized view public.work_item_counts alter column action set statistics 500;
  alter materialized view public.work_item_counts alter column action set storage external;
  alter materialized view public.work_item_counts cluster on ix_work_item_counts;
  create statistics public.work_item_stats on institution_id, action from public.work_item_counts;
  comment on statistics public.work_item_stats is 'Of the reports.';
  grant select on public.work_item_counts to public;
  grant select (row_count) on public.premis_event_counts to public;`;

test.each([
  ['migrate', migrateAs, createLiveDatabase],
  ['psql alone', byPsql, createLiveDatabase],
  ['migrate in the test state', migrateAs, createTestStateDatabase],
])('by %s: in, a month, other prices, out, and in again', async (_, bringIn, create) => {
  const live = await create();
  const { owner } = live;
  await runAs(owner, putOnViews);
  const before = await catalog(live);
  const figuresBefore = await history(live);
  await bringIn(owner);
  await expectExact(live);
  const plan = await readPlan((text, values) => owner.database.read(text, values), files);
  expect(plan).toMatchObject({ functionsChanged: false, needsActivation: false });
  expect(plan.replacedFunctions).toEqual([]);

  // A new month, by Registry's call and the daemon's.
  await runAs(owner, `delete from historical_deposit_stats where end_date >= '2024-01-01'`);
  await runAs(owner, registryHourly);
  expect(await history(live)).toEqual(figuresBefore);
  await runAs(owner, `delete from historical_deposit_stats where end_date = '2020-05-01'`);
  expect((await runEachJob(owner.database)).map(({ outcome }) => outcome)).not.toContain('failed');
  expect(await history(live)).toEqual(figuresBefore);

  // Prices changed by Registry, and back.
  await runAs(owner, registryPriceChange('Standard', 1.5));
  const dear = await history(live);
  expect(dear).toHaveLength(figuresBefore.length);
  expect(dear).not.toEqual(figuresBefore);
  await runAs(owner, registryStart);
  await runEachJob(owner.database);
  await expectExact(live);

  await takeOut(owner);
  expect(await catalog(live)).toEqual(before);
  // Registry's own functions work as before.
  await runAs(owner, registryHourly + registryStart);
  expect(await history(live)).toEqual(dear);

  await bringIn(owner);
  await runEachJob(owner.database);
  await expectExact(live);
});

test('schema public is dropped and loaded again while registry_stats stays', async () => {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  await runAs(
    live.owner,
    `do $$ declare s text; begin
      foreach s in array array(
        select format('drop %s if exists public.%I cascade',
          case relkind when 'r' then 'table' when 'v' then 'view' else 'materialized view' end, relname)
        from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm')
        union all
        select format('drop function if exists %s cascade', oid::regprocedure)
        from pg_proc where pronamespace = 'public'::regnamespace
      ) loop execute s; end loop;
    end $$`,
  );
  const [empty] = await live.target.query<{ n: string }>(
    `select count(*) as n from pg_class where relnamespace = 'public'::regnamespace`,
  );
  expect(Number(empty?.n)).toBe(0);
  await migrateAs(live.owner);
  await runEachJob(live.owner.database);
  await expectExact(live);
});

test('objects of others that depend on ours are named, and stay', async () => {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  await runAs(
    live.owner,
    `create view public.report as select * from work_item_counts;
    create view public.live_report as select * from registry_stats.live_generic_file_counts`,
  );
  await expect(takeOut(live.owner)).rejects.toMatchObject({
    code: 'DEPENDENT_OBJECTS',
    message: expect.stringMatching(/public.live_report, public.report/) as unknown,
  });
  await expectExact(live);
});

test('two sessions insert the same date once', async () => {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  const sessions = await Promise.all(Array.from({ length: 6 }, () => live.owner.session()));
  for (const date of ['2031-01-15', '2031-01-16', '2031-01-17', '2031-01-18', '2031-01-19']) {
    await Promise.all(
      sessions.map((session) =>
        session.query(`select public.populate_historical_deposit_stats(date '${date}')`),
      ),
    );
  }
  const twice = await live.target.query(
    `select from public.historical_deposit_stats group by institution_id, storage_option, end_date
    having count(*) > 1`,
  );
  expect(twice).toEqual([]);
});

test('attaching names the blocking session, and blocks writers for at most 0.3 s', async () => {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  await live.target.query('drop trigger registry_stats_insert on public.work_items');
  const holder = await live.owner.session();
  await holder.query('begin');
  await holder.query(`update public.work_items set note = 'held'`);
  const attaching = await live.owner.session();
  const startedAt = performance.now();
  await expect(
    attaching.query(`select registry_stats.attach_capture('work_items')`),
  ).rejects.toMatchObject({
    code: '55P03',
    detail: expect.stringMatching(/process \d+ of role \S+ holds .*began/) as unknown,
  });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await holder.query('rollback');
  await runEachJob(live.owner.database);
  await vi.waitFor(() => expectExact(live));
});

test('intended changes are listed before the migration, and not after', async () => {
  const live = await createLiveDatabase();
  await runAs(
    live.owner,
    `insert into institutions (name, identifier, receiving_bucket, restore_bucket, created_at, updated_at)
    select name, 'twin.edu', 'twin in', 'twin out', now(), now() from institutions order by id limit 1;
    refresh materialized view current_deposit_stats`,
  );
  const query = <Row extends Record<string, unknown>>(text: string, values?: unknown[]) =>
    live.owner.database.read<Row>(text, values);
  const changes = (await readIntendedChanges(query)).join('\n');
  expect(changes).toContain('have one name');
  expect(changes).toContain('total_bytes is NULL');
  await migrateAs(live.owner);
  expect(await readIntendedChanges(query)).toEqual([]);
});

test('any number of differences is counted, and a thousand are listed', async () => {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  await live.target.query(
    `begin; set local registry_stats.is_writing = on;
    insert into registry_stats.count_rollup (source, institution_id, facet, row_count)
    select 'work_items', n, 'Wrong', 1 from generate_series(1, 200000) as n; commit`,
  );
  const { count, differences, sources } = await verify(live.owner.database);
  expect(count).toBeGreaterThanOrEqual(200_000);
  expect(differences).toHaveLength(1_000);
  expect(sources).toEqual(['work_items']);
});

test('migrate restores a missing or replaced function of the statistics', async () => {
  const { owner } = await createLiveDatabase();
  await migrateAs(owner);
  await runAs(
    owner,
    `drop function registry_stats.look_at_views(text[]);
    create or replace function registry_stats.has_pending() returns boolean language sql as 'select false'`,
  );
  const plan = () => readPlan((text, values) => owner.database.read(text, values), files);
  expect(await plan()).toMatchObject({ functionsChanged: true });
  await migrateAs(owner);
  expect(await plan()).toMatchObject({ functionsChanged: false, needsActivation: false });
  await runEachJob(owner.database);
});
