import { expect, test } from 'vitest';
import { readSqlFiles } from '../src/schema/sql-files.js';
import { readPlan } from '../src/schema/plan.js';
import { readStatistics } from '../src/status/read-statistics.js';
import { uninstall } from '../src/schema/uninstall.js';
import { verify } from '../src/statistics/verify.js';
import { wrongFigures } from './exactness/truth.js';
import {
  createLiveDatabase,
  registryFunctionTexts,
  registryHourly,
  registryViewText,
  runAs,
} from './support/live-state.js';
import { expectExact, migrated, write, type Scene } from './support/migrated-live.js';
import { migrateAs } from './support/owned-database.js';
import { runEachJob } from './support/run-each-job.js';
import { quietly } from './support/migrate-options.js';

// Usual operations of Registry's operators, from the state of production. None of their statements
// fails because of us. After the next run the figures are correct, or the problem is reported.

async function untilItWaits({ target }: Scene): Promise<void> {
  await expect
    .poll(() => target.query('select from pg_locks where not granted'))
    .not.toHaveLength(0);
}

/** After the next run of each job all figures are correct, and no run was skipped as unchanged. */
const repaired: Record<string, string> = {
  'a view is emptied': 'refresh materialized view public.work_item_counts with no data',
  'the deposits are emptied': 'refresh materialized view public.current_deposit_stats with no data',
  'a view is dropped': 'drop materialized view public.premis_event_counts',
  'all views are dropped': `drop materialized view public.premis_event_counts,
    public.intellectual_object_counts, public.generic_file_counts, public.work_item_counts,
    public.current_deposit_stats`,
  'a view loses its unique index': 'drop index public.ix_generic_file_counts',
  'a view is refreshed': 'refresh materialized view public.generic_file_counts',
  'a trigger is dropped': 'drop trigger registry_stats_insert on public.generic_files',
  'triggers are disabled and enabled': `alter table public.work_items disable trigger user;
    delete from public.work_items where id > 0;
    alter table public.work_items enable trigger user`,
  'a table is truncated': 'truncate public.premis_events cascade',
  'a table is rewritten': `drop view public.premis_events_view;
    alter table public.premis_events alter column date_time type timestamptz`,
  'a table is unlogged': 'alter table public.alerts_work_items set unlogged',
  'a captured column may be NULL':
    'alter table public.generic_files alter institution_id drop not null',
  'rollups are written by others':
    'update registry_stats.count_rollup set row_count = row_count + 7',
  'rollups are truncated': 'truncate registry_stats.deposit_rollup',
  'rollups are restored with triggers disabled': `alter table registry_stats.deposit_total
      disable trigger user;
    update registry_stats.deposit_total set file_count = 4711;
    alter table registry_stats.deposit_total enable trigger user`,
  'deltas are written by others': `insert into registry_stats.delta
    (source, institution_id, facet, row_count) values ('work_items', 1, 'Ingest', 99)`,
  'deltas are copied by a restore that disables triggers': `alter table registry_stats.delta
      disable trigger user;
    insert into registry_stats.delta overriding system value
      values (4711, '3', 'work_items', null, 1, 'Ingest', null, null, null, 99, 0);
    alter table registry_stats.delta enable always trigger registry_stats_guard`,
  'the type of a delta’s table gets another constraint': `alter domain registry_stats.captured_table
    add constraint named check (value <> '')`,
  'the row that every fold writes is deleted': 'delete from registry_stats.epoch',
  'a record marks wrong rollups as trusted': `update registry_stats.source set is_exact = false,
      reason = 'of a test';
    update registry_stats.source set is_exact = true`,
};

test.each(Object.entries(repaired))('%s: the next run repairs it', async (_, statements) => {
  const scene = await migrated();
  await runAs(scene.owner, statements);
  await write(scene, 90_001);
  const outcomes = await runEachJob(scene.owner.database);
  expect(outcomes.map(({ outcome }) => outcome)).not.toContain('failed');
  await expectExact(scene);
  expect((await runEachJob(scene.owner.database)).map((run) => run.outcome)).toEqual([
    'skipped',
    'skipped',
    'skipped',
  ]);
});

test.each([
  'drop materialized view public.premis_event_counts',
  'drop materialized view public.current_deposit_stats',
  'refresh materialized view public.work_item_counts with no data',
  'drop index public.ix_generic_file_counts',
  registryViewText('premis_event_counts'),
  registryViewText('current_deposit_stats', { isFilled: false }),
])('Registry’s own hourly calls never fail after a change of a view: %s', async (statements) => {
  const scene = await migrated();
  await runAs(scene.owner, statements);
  await write(scene, 90_020);
  await runAs(scene.owner, registryHourly);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test.each(['premis_event_counts', 'current_deposit_stats'] as const)(
  '%s is created again with Registry’s own text: the next run replaces it by ours',
  async (view) => {
    const scene = await migrated();
    await runAs(scene.owner, registryViewText(view));
    await write(scene, 90_002);
    await runEachJob(scene.owner.database);
    await expectExact(scene);
    await runAs(scene.owner, registryViewText(view, { isFilled: false }));
    await runEachJob(scene.owner.database);
    await expectExact(scene);
  },
);

test('a refresh with an older snapshot that waited for our run is detected', async () => {
  const scene = await migrated();
  const ours = await scene.owner.session();
  const other = await scene.owner.session();
  await write(scene, 90_003);
  await ours.query('begin');
  await ours.query(`select registry_stats.run('update_counts')`);
  const waiting = other.query('refresh materialized view concurrently public.generic_file_counts');
  await untilItWaits(scene);
  await ours.query('commit');
  await waiting;
  expect(await wrongFigures(scene.query, 'public.', ['generic_file_counts'])).not.toEqual([]);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a captured column is renamed: writers continue, and the figures follow', async () => {
  const scene = await migrated();
  await write(scene, 90_004);
  // The same session: its plan of the capture function has the old name.
  await scene.session.query('alter table public.work_items rename column action to what');
  await scene.session.query('alter table public.premis_events rename column outcome to result');
  await write(scene, 90_005);
  await scene.session.query(`update public.work_items set what = 'Ingest' where id = 90005`);
  await scene.session.query(`delete from public.work_items where id = 90004`);
  await runEachJob(scene.owner.database);
  expect((await verify(scene.owner.database)).differences).toEqual([]);
  // The new names are captured now, so no write marks the table.
  await scene.session.query(`update public.work_items set what = 'Delete' where id < 5`);
  expect(
    await scene.query('select from registry_stats.delta where rebuild_because is not null'),
  ).toEqual([]);
  await runEachJob(scene.owner.database);
  expect((await verify(scene.owner.database)).count).toBe(0);
  const [total] = await scene.query<{ shown: string; truth: string }>(
    `select
      (select row_count from public.work_item_counts where institution_id is null and action is null
        order by row_count desc limit 1) as shown,
      (select count(*) from public.work_items) as truth`,
  );
  expect(total?.shown).toBe(total?.truth);
  await scene.session.query('alter table public.work_items rename column what to action');
  await scene.session.query('alter table public.premis_events rename column result to outcome');
  await write(scene, 90_006);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a captured column is dropped with cascade: writers and the other views continue', async () => {
  const scene = await migrated();
  await scene.session.query('alter table public.work_items drop column action cascade');
  await write(scene, 90_007);
  await scene.session.query('delete from public.work_items where id = 90007');
  const [counts] = await runEachJob(scene.owner.database);
  expect(counts).toMatchObject({ outcome: 'refreshed' });
  expect(await wrongFigures(scene.query, 'public.', ['generic_file_counts'])).toEqual([]);
  const overview = await readStatistics(scene.owner.database);
  expect(overview.inexact).toEqual([
    {
      name: 'work_items',
      reason: 'its column action is gone; add it again, or upgrade registry-stats',
      isRepairable: false,
    },
  ]);
  await scene.session.query('alter table public.work_items add column action varchar');
  await write(scene, 90_008);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('the type of a captured column is changed in a migration that calls detach', async () => {
  const scene = await migrated();
  const { session } = scene;
  // Registry's own views read these columns too.
  await session.query(
    `drop view public.work_items_view, public.intellectual_objects_view,
      public.storage_option_stats, public.generic_files_view, public.checksums_view`,
  );
  await expect(
    session.query('alter table public.work_items alter column action type text'),
  ).rejects.toMatchObject({ code: '0A000' });
  await session.query('begin');
  await session.query(`select registry_stats.detach('work_items')`);
  await session.query('alter table public.work_items alter column action type text');
  await session.query(`select registry_stats.detach('generic_files')`);
  await session.query('alter table public.generic_files alter column size type numeric');
  await session.query(
    'alter table public.generic_files alter column intellectual_object_id type bigint',
  );
  await session.query('commit');
  await write(scene, 90_009);
  await session.query(
    'update public.generic_files set intellectual_object_id = 3000000000 where id = 90009',
  );
  await runEachJob(scene.owner.database);
  await expectExact(scene);
  await session.query('delete from public.generic_files where id = 90009');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a column is replaced by a new one of its name', async () => {
  const scene = await migrated();
  await scene.session.query(
    `alter table public.work_items rename column action to old_action;
    alter table public.work_items add column action varchar;
    update public.work_items set action = 'Restore'`,
  );
  await write(scene, 90_010);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
  await scene.session.query(`update public.work_items set action = 'Delete' where id < 5`);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a table with row level security is untrusted', async () => {
  const scene = await migrated();
  await scene.session.query(
    `alter table public.work_items enable row level security;
    alter table public.work_items force row level security;
    create policy none on public.work_items using (id < 0) with check (true)`,
  );
  await scene.session.query('drop trigger registry_stats_insert on public.work_items');
  await runEachJob(scene.owner.database);
  expect((await readStatistics(scene.owner.database)).inexact).toMatchObject([
    { name: 'work_items', reason: expect.stringContaining('row level security') as unknown },
  ]);
  await expect(verify(scene.owner.database)).rejects.toThrow(/row-level security/);
  await scene.session.query('alter table public.work_items no force row level security');
  await write(scene, 90_011);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a table that another inherits from is untrusted', async () => {
  const scene = await migrated();
  await scene.session.query('create table public.more_items () inherits (public.work_items)');
  await runEachJob(scene.owner.database);
  expect((await readStatistics(scene.owner.database)).inexact).toMatchObject([
    { name: 'work_items', reason: expect.stringContaining('no inherit') as unknown },
  ]);
  await scene.session.query('alter table public.more_items no inherit public.work_items');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('deposits without an institution are named, and correct when they have one', async () => {
  const scene = await migrated();
  await scene.session.query('alter table public.generic_files alter storage_option drop not null');
  await write(scene, 90_012);
  await scene.session.query(
    'update public.generic_files set storage_option = null where id = 90012',
  );
  await runEachJob(scene.owner.database);
  expect((await readStatistics(scene.owner.database)).inexact).toMatchObject([
    { name: 'generic_files', reason: expect.stringContaining('1 deposits have no') as unknown },
  ]);
  await scene.session.query(
    `update public.generic_files set storage_option = 'Standard' where id = 90012`,
  );
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a view of others on one that was created again is named, and never dropped', async () => {
  const scene = await migrated();
  await runAs(scene.owner, registryViewText('work_item_counts'));
  await scene.session.query('create view public.report as select * from public.work_item_counts');
  await write(scene, 90_013);
  const [counts] = await runEachJob(scene.owner.database);
  expect(counts?.outcome).not.toBe('failed');
  expect((await readStatistics(scene.owner.database)).inexact).toMatchObject([
    { name: 'work_item_counts', reason: expect.stringContaining('public.report') as unknown },
  ]);
  await expect(migrateAs(scene.owner)).rejects.toMatchObject({ code: 'DEPENDENT_OBJECTS' });
  await scene.session.query('drop view public.report');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('functions that Registry’s migrations restored are detected, and migrate replaces them by ours', async () => {
  const scene = await migrated();
  for (const text of registryFunctionTexts) await runAs(scene.owner, text);
  const files = await readSqlFiles();
  expect((await readPlan(scene.query, files)).replacedFunctions).toHaveLength(6);
  await write(scene, 90_014);
  expect(await runEachJob(scene.owner.database)).not.toContainEqual(
    expect.objectContaining({ reason: 'unchanged' }),
  );
  expect(await wrongFigures(scene.query, 'public.')).toEqual([]);
  expect((await readStatistics(scene.owner.database)).inexact).toHaveLength(6);
  await migrateAs(scene.owner);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
  expect((await readPlan(scene.query, files)).replacedFunctions).toEqual([]);
});

test('a run of the history names the function that others restored', async () => {
  const scene = await migrated();
  await runAs(
    scene.owner,
    registryFunctionTexts.find((text) => text.includes('stop_date date')) ?? '',
  );
  const outcomes = await runEachJob(scene.owner.database);
  expect(outcomes.at(-1)).toMatchObject({
    reason: 'inexact',
    detail: expect.stringContaining(
      'populate_historical_deposit_stats(date): the function is not the one that registry-stats installed',
    ) as string,
  });
});

test('rights that the owner revoked from itself stay revoked, in and out', async () => {
  const { owner } = await createLiveDatabase();
  await runAs(
    owner,
    `revoke insert, update on generic_file_counts from current_user;
    grant select on work_item_counts to current_user`,
  );
  const rights = () =>
    owner.database.read(
      `select relname, relacl::text from pg_class
      where relname in ('generic_file_counts', 'work_item_counts') order by relname`,
    );
  const before = await rights();
  await migrateAs(owner);
  expect(await rights()).toEqual(before);
  await uninstall(owner.database, {
    migrations: (await readSqlFiles()).migrations,
    ...quietly,
  });
  expect(await rights()).toEqual(before);
});

test('running our 001 again removes nothing of 101', async () => {
  const scene = await migrated();
  const files = await readSqlFiles();
  await runAs(scene.owner, files.migrations[0]?.text ?? '');
  expect((await readPlan(scene.query, files)).replacedFunctions).toEqual([]);
  await expectExact(scene);
});

test('one row declares another count', async () => {
  const scene = await migrated();
  await scene.session.query(
    `insert into registry_stats.source (name, view, facet_column, reason)
    values ('checksums', 'checksum_counts', 'algorithm', 'declared')`,
  );
  await migrateAs(scene.owner);
  const shown = 'select algorithm, row_count from public.checksum_counts order by 1';
  const truth = `select algorithm, count(*) as row_count from public.checksums
    group by cube (algorithm) order by 1`;
  await scene.session.query(
    `insert into public.checksums (algorithm, digest, generic_file_id, created_at, updated_at)
    select name, 'x', min(id), now(), now() from public.generic_files
    cross join unnest('{md5,sha256,sha256}'::text[]) as name group by name`,
  );
  expect(await scene.query(shown.replace('public.', 'registry_stats.live_'))).toEqual(
    await scene.query(truth),
  );
  await runEachJob(scene.owner.database);
  expect(await scene.query(shown)).toEqual(await scene.query(truth));
  await scene.session.query(
    `update public.checksums set algorithm = 'sha512' where algorithm = 'md5'`,
  );
  await scene.session.query(`delete from public.checksums where algorithm = 'sha256'`);
  await runEachJob(scene.owner.database);
  expect(await scene.query(shown)).toEqual(await scene.query(truth));
  await expectExact(scene);
});
