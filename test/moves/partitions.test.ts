import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { expect, test } from 'vitest';
import { jobs } from '../../src/jobs/job.js';
import { splitStatements } from '../../src/schema/split-statements.js';
import { migrate } from '../../src/schema/migrate.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import { uninstall } from '../../src/schema/uninstall.js';
import { expectLiveTruth, expectTruth, untilBlocked } from '../exactness/two-sessions.js';
import { loadCsv } from '../support/load-csv.js';
import { createLogin, createOwnedDatabase } from '../support/owned-database.js';
import { runEachJob } from '../support/run-each-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { migrateQuietly } from '../support/migrate-options.js';

const files = await readSqlFiles();
const [baseline] = files.migrations;
if (baseline === undefined) throw new Error('migration 001 is missing');
const statementsOf001 = splitStatements(baseline.text).map(({ text }) => text);
const options = {
  files,
  ...migrateQuietly,
};

/** Partitions events by outcome, and one partition by event type. */
async function partitionEvents({ query }: TestDatabase): Promise<void> {
  for (const statement of [
    'drop materialized view public.premis_event_counts',
    'drop view public.premis_events_view',
    'alter table public.premis_events rename to old_events',
    `create table public.premis_events (like public.old_events including defaults)
    partition by list (outcome)`,
    `create table public.good_events partition of public.premis_events for values in ('Success')
    partition by list (event_type)`,
    `create table public.good_ingests partition of public.good_events for values in ('ingestion')`,
    'create table public.good_others partition of public.good_events default',
    'create table public.other_events partition of public.premis_events default',
    'insert into public.premis_events select * from public.old_events',
    ...statementsOf001.filter((text) => /^create .+premis_event_counts\b/.test(text)),
  ]) {
    await query(statement);
  }
}

async function migrated(): Promise<TestDatabase> {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await partitionEvents(target);
  await migrate(target.database, options);
  await runAll(target);
  await expectTruth(target);
  return target;
}

/** Runs all jobs like the daemon. Returns the reported rebuilds. */
async function runAll({ database }: Pick<TestDatabase, 'database'>): Promise<string[]> {
  const outcomes = await runEachJob(
    database,
    { trigger: 'schedule', isManual: false },
    jobs.slice(0, 2),
  );
  return outcomes
    .flatMap((outcome) => (outcome.outcome === 'refreshed' ? outcome.detail.split('; ') : []))
    .filter((detail) => detail.includes('rebuilt'));
}

const newEvent = (table: string, type: string, outcome: string, count = 1): string =>
  `insert into public.${table} (event_type, outcome, institution_id, created_at, updated_at)
  select '${type}', '${outcome}', 1, now(), now() from generate_series(1, ${String(count)})`;

/** Each of them changes something, with the rows of `refill`. */
const statements = [
  newEvent('premis_events', 'ingestion', 'Success', 3),
  newEvent('good_events', 'ingestion', 'Success', 2),
  newEvent('good_ingests', 'ingestion', 'Success'),
  newEvent('other_events', 'deletion', 'Failed', 2),
  `update public.premis_events set outcome = 'Failed' where outcome = 'Success'`,
  `update public.premis_events set event_type = 'ingestion', institution_id = 2
  where outcome = 'Success'`,
  `update public.good_events set event_type = 'moved' where event_type = 'ingestion'`,
  `update public.other_events set institution_id = 3`,
  `update public.good_ingests set detail = 'no figure'`,
  `delete from public.premis_events where institution_id = 1`,
  `delete from public.good_events`,
  `delete from public.good_others`,
  // A merge must not move a row to another partition: statement triggers do not see such a row's
  // old values.
  `merge into public.premis_events as event
  using (values ('ingestion', 2), ('none', 3)) as given (type, institution)
  on event.event_type = given.type
  when matched then update set institution_id = given.institution
  when not matched then insert (event_type, outcome, institution_id, created_at, updated_at)
    values (given.type, 'Success', given.institution, now(), now())`,
];
const refill = [
  newEvent('premis_events', 'ingestion', 'Success', 3),
  newEvent('premis_events', 'fixity check', 'Success', 2),
];
const nodes = ['premis_events', 'good_events', 'good_ingests', 'other_events'] as const;

test('a partitioned table is captured, also when a statement names a partition', async () => {
  const target = await migrated();
  for (const statement of statements) {
    for (const text of [...refill, statement]) await target.query(text);
    await expectLiveTruth(target);
    expect(await runAll(target), statement).toEqual([]);
    await expectTruth(target);
  }

  const client = await target.session();
  for (const table of nodes) {
    const columns = '(event_type, outcome, institution_id, created_at, updated_at)';
    const outcome = table === 'other_events' ? 'Failed' : 'Success';
    const line = `ingestion\t${outcome}\t2\t2024-01-01\t2024-01-01\n`;
    const copy = client.query(copyFrom(`copy public.${table} ${columns} from stdin`));
    await pipeline(Readable.from([line, line]), copy);
    await expectLiveTruth(target);
    expect(await runAll(target), table).toEqual([]);
    await expectTruth(target);
  }
});

test('a truncate of a partition is detected, and the table rebuilt', async () => {
  const target = await migrated();
  for (const table of nodes) {
    for (const text of refill) await target.query(text);
    await target.query(`truncate public.${table}`);
    expect(await runAll(target), table).toEqual([
      expect.stringMatching(/^premis_events rebuilt: /),
    ]);
    await expectTruth(target);
  }
});

test('attached and detached partitions are detected once; only writes to attached ones count', async () => {
  const target = await migrated();
  const { query } = target;
  const rebuilt = [expect.stringMatching(/^premis_events rebuilt: /)];

  await query(
    `create table public.new_events partition of public.premis_events for values in ('New')`,
  );
  await query(newEvent('new_events', 'ingestion', 'New'));
  expect(await runAll(target)).toEqual(rebuilt);
  expect(await runAll(target)).toEqual([]);
  await expectTruth(target);
  await query(newEvent('new_events', 'ingestion', 'New', 2));
  await expectLiveTruth(target);

  await query('alter table public.premis_events detach partition public.new_events');
  await query(newEvent('new_events', 'ingestion', 'New'));
  expect(await runAll(target)).toEqual(rebuilt);
  await query(newEvent('new_events', 'ingestion', 'New', 2));
  await query('delete from public.new_events where id = (select min(id) from public.new_events)');
  expect(await runAll(target)).toEqual([]);
  await expectTruth(target);

  await query(
    `alter table public.premis_events attach partition public.new_events for values in ('New')`,
  );
  expect(await runAll(target)).toEqual(rebuilt);
  await query(newEvent('new_events', 'ingestion', 'New', 2));
  expect(await runAll(target)).toEqual([]);
  await expectTruth(target);
});

test('a table partitioned after the migration is counted, and the old table is not', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  await runAll(target);
  await target.query(
    `begin;
    alter table public.alerts_premis_events
      drop constraint alerts_premis_events_premis_event_id_fkey;
    alter table public.premis_events rename to old_events;
    create table public.premis_events (like public.old_events including defaults)
      partition by list (outcome);
    alter table public.premis_events attach partition public.old_events default;
    create table public.good_events partition of public.premis_events for values in ('None yet');
    commit`,
  );
  await target.query(newEvent('premis_events', 'ingestion', 'Success', 2));
  expect(await runAll(target)).toEqual([expect.stringMatching(/^premis_events rebuilt: /)]);
  await target.query(`update public.premis_events set outcome = 'None yet' where outcome is null`);
  await target.query(`update public.premis_events set outcome = 'None yet', institution_id = 2`);
  expect(await runAll(target)).toEqual([]);
  await expectTruth(target);

  await target.query('alter table public.premis_events detach partition public.old_events');
  await target.query(
    `begin;
    alter table public.premis_events rename to partitioned_events;
    alter table public.old_events rename to premis_events;
    commit`,
  );
  expect(await runAll(target)).toEqual([expect.stringMatching(/^premis_events rebuilt: /)]);
  await target.query(newEvent('partitioned_events', 'ingestion', 'None yet', 2));
  await target.query(newEvent('premis_events', 'ingestion', 'Success', 2));
  await target.query(`update public.premis_events set institution_id = 3`);
  expect(await runAll(target)).toEqual([]);
  await expectTruth(target);
});

test('uninstall leaves no trigger on a partitioned table', async () => {
  const target = await migrated();
  await uninstall(target.database, { ...options, migrations: files.migrations });
  expect(
    await target.query(
      `select tgrelid::regclass, tgname from pg_trigger where tgname like 'registry_stats%'`,
    ),
  ).toEqual([]);
  await target.query(newEvent('good_ingests', 'ingestion', 'Success'));
});

const newItem = `insert into public.old_items
    (name, action, institution_id, created_at, updated_at, date_processed, bag_date)
  values ('old', 'Old', 2, now(), now(), now(), now())`;

const replaceWorkItems = `begin;
  alter table public.work_items rename to old_items;
  create table public.work_items (like public.old_items including defaults);
  insert into public.work_items select * from public.old_items;
  commit`;

test('a writer of the new table that reads the renamed one does not wait', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  await runAll(target);
  await target.query(replaceWorkItems);
  const [writer, daemon] = [await target.session(), await target.session()];
  await writer.query('begin');
  await writer.query('update public.work_items set institution_id = 3 where id = 1');
  const attach = await untilBlocked(
    target,
    daemon,
    `select registry_stats.attach_capture('work_items')`,
  );
  await writer.query(`set local lock_timeout = '100ms'`);
  await writer.query('select count(*) from public.old_items');
  await writer.query('update public.old_items set institution_id = 3 where id = 1');
  await writer.query('commit');
  await attach.result;

  expect(await runAll(target)).toEqual([expect.stringMatching(/^work_items rebuilt: /)]);
  await expectTruth(target);
});

test('a renamed table of another owner blocks nothing and no longer counts', async () => {
  const { target, owner } = await createOwnedDatabase();
  const other = await createLogin(target, 'other');
  const database = owner.reopen();
  await (await owner.session()).query(replaceWorkItems);
  await target.query(`alter table public.old_items owner to ${other.role}`);
  // For the checks of its foreign keys and for truncate.
  await target.query(`grant all on all tables in schema public to ${other.role}`);
  await target.query(`grant all on all sequences in schema public to ${other.role}`);

  expect(await runAll({ database })).toEqual([expect.stringMatching(/^work_items rebuilt: /)]);
  const client = await other.session();
  for (const write of [
    newItem,
    `update public.old_items set institution_id = 3, action = 'Old'`,
    'delete from public.old_items where id = 1',
    'truncate public.old_items cascade',
  ]) {
    await client.query(write);
    await expectLiveTruth(target);
    expect(await runAll({ database })).toEqual([]);
    await expectTruth(target);
  }
});

test('a table that was renamed, written to and renamed back between runs is rebuilt', async () => {
  const target = await migrated();
  for (const [away, write, back] of [
    [
      'alter table public.work_items rename to old_items',
      'update public.old_items set institution_id = 3',
      'alter table public.old_items rename to work_items',
    ],
    [
      'alter table public.work_items set schema registry_stats',
      'delete from registry_stats.work_items where id = 1',
      'alter table registry_stats.work_items set schema public',
    ],
    [
      'alter table public.premis_events detach partition public.other_events',
      `insert into public.other_events select * from public.other_events`,
      'alter table public.premis_events attach partition public.other_events default',
    ],
  ] as const) {
    for (const statement of [away, write, back]) await target.query(statement);
    expect(await runAll(target), away).toEqual([expect.stringContaining(' rebuilt: ')]);
    await expectTruth(target);
  }
});

test('capture rolls back for a writer that locks a partition before the table', async () => {
  const target = await migrated();
  const [writer, daemon] = [await target.session(), await target.session()];
  await target.query('alter table public.good_ingests disable trigger registry_stats_insert');
  await writer.query('begin');
  await writer.query(newEvent('other_events', 'ingestion', 'Failed', 2));
  await daemon.query(`set deadlock_timeout = '30s'`);
  const attach = await untilBlocked(
    target,
    daemon,
    `select registry_stats.attach_capture('premis_events')`,
  );
  await writer.query(newEvent('premis_events', 'ingestion', 'Success', 2));
  await expect(attach.result).rejects.toMatchObject({ code: '55P03' });
  await writer.query('commit');

  expect(await runAll(target)).toEqual([expect.stringMatching(/^premis_events rebuilt: /)]);
  await expectTruth(target);
});
