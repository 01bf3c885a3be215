import pg from 'pg';
import { expect, inject, test } from 'vitest';
import { jobs, type JobName } from '../../src/jobs/job.js';
import { sources, type Source } from '../../src/statistics/installation.js';
import type { TestDatabase } from '../support/test-database.js';
import { RandomNumbers } from './random-numbers.js';
import { captured, literal, newRow, toCopyLine, uncaptured } from './rows.js';
import { copyInto } from './session.js';
import { ownDifferences } from './truth.js';
import { expectLiveTruth, expectTruth, hasWork, runAll, upToDate } from './two-sessions.js';
import { refreshAsDaemon } from '../support/refresh-as-daemon.js';

const random = new RandomNumbers(1);

function insertOf(source: Source, count: number): string {
  const rows = Array.from({ length: count }, (_, row) =>
    newRow(source, random, `new${String(row)}`),
  );
  const values = rows.map((row) => `(${Object.values(row).map(literal).join(', ')})`);
  return `insert into public.${source} (${Object.keys(rows[0] ?? {}).join(', ')})
    values ${values.join(', ')}`;
}

/** Returns the number of rows that a statement appends to registry_stats.delta. */
async function appendedBy({ query }: TestDatabase, ...statements: string[]): Promise<number> {
  const count = 'select count(*)::int as n from registry_stats.delta';
  const [before] = await query<{ n: number }>(count);
  for (const statement of statements) await query(statement);
  const [after] = await query<{ n: number }>(count);
  return (after?.n ?? 0) - (before?.n ?? 0);
}

async function becomesExact(target: TestDatabase): Promise<void> {
  await expectLiveTruth(target);
  await runAll(target.query);
  await expectTruth(target);
}

test.each(sources)('%s: inserts of one row and of many append a row a key', async (source) => {
  const target = await upToDate();
  expect(await appendedBy(target, insertOf(source, 1))).toBe(1);
  await target.query(
    `delete from public.${source} where id >= (select max(id) from public.${source})`,
  );
  const many = await appendedBy(target, insertOf(source, 200).replaceAll("'new", "'many"));
  expect(many).toBeGreaterThan(1);
  expect(many).toBeLessThan(200);
  await becomesExact(target);
});

test.each(sources)('%s: COPY appends a row a key', async (source) => {
  const target = await upToDate();
  const rows = Array.from({ length: 100 }, (_, row) =>
    newRow(source, random, `copied${String(row)}`),
  );
  const client = await target.session();
  const into = `public.${source} (${Object.keys(rows[0] ?? {}).join(', ')})`;
  expect(await copyInto(client, into, rows.map(toCopyLine))).toBe(100);
  const [row] = await target.query<{ n: string }>(
    'select sum(row_count) as n from registry_stats.delta where source = $1',
    [source],
  );
  expect(row?.n).toBe('100');
  await becomesExact(target);
});

test.each(sources.flatMap((source) => Object.keys(captured[source]).map((key) => [source, key])))(
  '%s: an update that moves %s appends the old key and the new one',
  async (source = '', column = '') => {
    const target = await upToDate();
    const value = { institution_id: '4', intellectual_object_id: '3', size: '12345' }[column];
    await target.query(`update public.${source} set ${column} = ${value ?? "'First'"}`);
    await runAll(target.query);
    const [row] = await target.query<{ id: number }>(`select min(id) as id from public.${source}`);
    const change = async (to: string): Promise<number> =>
      appendedBy(
        target,
        `update public.${source} set ${column} = ${to} where id = ${String(row?.id)}`,
      );

    expect(await change(column)).toBe(0);
    expect(await change(value === undefined ? "'Other'" : '999')).toBe(2);
    const isNullable = !['generic_files.institution_id', 'generic_files.storage_option'].includes(
      `${source}.${column}`,
    );
    if (isNullable) expect(await change('null')).toBe(2);
    await becomesExact(target);
  },
);

test.each(sources)('%s: an update of other columns appends nothing', async (source) => {
  const target = await upToDate();
  const all = Object.keys(captured[source]).map((column) => `${column} = ${column}`);
  expect(
    await appendedBy(
      target,
      `update public.${source} set ${uncaptured[source]}, updated_at = now()`,
      `update public.${source} set ${[...all, 'updated_at = now()'].join(', ')}`,
    ),
  ).toBe(0);
  expect(await hasWork(target)).toBe(false);
  await expectTruth(target);
});

test.each(sources)('%s: deletes of one row and of all, and of none', async (source) => {
  const target = await upToDate();
  await target.query(insertOf(source, 20));
  const own = `id > (select max(id) - 20 from public.${source})`;
  expect(await appendedBy(target, `delete from public.${source} where id < 0`)).toBe(0);
  expect(await appendedBy(target, `update public.${source} set id = id where false`)).toBe(0);
  expect(
    await appendedBy(target, `insert into public.${source} select * from public.${source} limit 0`),
  ).toBe(0);
  expect(await appendedBy(target, `delete from public.${source} where ${own}`)).toBeGreaterThan(1);
  await becomesExact(target);
});

test.each(sources)('%s: a rollback, also to a savepoint, is not counted', async (source) => {
  const target = await upToDate();
  const rolledBack = [
    'begin',
    insertOf(source, 5),
    'rollback',
    'begin',
    'savepoint here',
    insertOf(source, 5),
    'rollback to here',
    'commit',
  ];
  expect(await appendedBy(target, ...rolledBack)).toBe(0);
  await target.query(
    ['begin', 'savepoint one', insertOf(source, 5), 'release one', 'savepoint two'].join(';'),
  );
  await target.query(`delete from public.${source} where id > (select max(id) - 5 from public.${source});
    rollback to two; commit`);
  await becomesExact(target);
});

test.each(['generic_files', 'intellectual_objects', 'premis_events'] as const)(
  '%s: insert on conflict updates rows or skips them',
  async (source) => {
    const target = await upToDate();
    const set = Object.keys(captured[source]).map((column) => `${column} = excluded.${column}`);
    await target.query(insertOf(source, 3));
    await target.query(
      `${insertOf(source, 6)} on conflict (identifier) do update set ${set.join(', ')}`,
    );
    expect(
      await appendedBy(target, `${insertOf(source, 6)} on conflict (identifier) do nothing`),
    ).toBe(0);
    await becomesExact(target);
  },
);

test('writes of a role with rights on the table only are captured', async () => {
  const target = await upToDate();
  const role = `${target.name}_writer`;
  await target.query(`create role ${role}`);
  try {
    await target.query(`grant insert, update, select, delete on public.premis_events to ${role}`);
    await target.query(`grant usage on sequence public.premis_events_id_seq to ${role}`);
    await target.query(`set role ${role}`);
    await target.query(insertOf('premis_events', 5));
    await target.query(`update public.premis_events set outcome = 'Odd' where id = 1`);
    await target.query('reset role');
    await becomesExact(target);
  } finally {
    await target.query('reset role');
    await target.query(`drop owned by ${role}`);
    await target.query(`drop role ${role}`);
  }
});

/**
 * Everything that makes capture miss changes, or may have: each is found, reported and repaired.
 */
const interruptions: Readonly<Record<string, { reason: string; statements: readonly string[] }>> = {
  'a truncated table': {
    reason: 'the table was truncated',
    statements: ['truncate public.premis_events cascade'],
  },
  'a disabled trigger': {
    reason: 'a capture trigger is missing or disabled',
    statements: [
      'alter table public.premis_events disable trigger registry_stats_insert',
      insertOf('premis_events', 5),
    ],
  },
  'a trigger that was disabled and enabled again': {
    reason: 'the table or its capture was changed, or the database was restored',
    statements: [
      'alter table public.premis_events disable trigger user',
      insertOf('premis_events', 5),
      'alter table public.premis_events enable trigger user',
    ],
  },
  'a trigger that was off within one transaction': {
    reason: 'the table or its capture was changed, or the database was restored',
    statements: [
      'begin',
      'alter table public.premis_events disable trigger registry_stats_insert',
      insertOf('premis_events', 5),
      'alter table public.premis_events enable trigger registry_stats_insert',
      'commit',
    ],
  },
  'a trigger for replicas only': {
    reason: 'a capture trigger is missing or disabled',
    statements: [
      'alter table public.premis_events enable replica trigger registry_stats_insert',
      insertOf('premis_events', 5),
    ],
  },
  'a dropped trigger': {
    reason: 'a capture trigger is missing or disabled',
    statements: [
      'drop trigger registry_stats_delete on public.premis_events',
      'delete from public.premis_events where id in (select max(id) from public.premis_events)',
    ],
  },
  'a dropped truncate trigger': {
    reason: 'a capture trigger is missing or disabled',
    statements: [
      'drop trigger registry_stats_truncate on public.premis_events',
      'truncate public.premis_events cascade',
    ],
  },
  'a table of the same name': {
    reason: 'a capture trigger is missing or disabled',
    statements: [
      'alter table public.premis_events rename to old_events',
      'create table public.premis_events (like public.old_events including all)',
      'insert into public.premis_events select * from public.old_events limit 9',
    ],
  },
};

test.each(Object.keys(interruptions))(
  '%s makes the table untrusted at the next run; the daemon repairs it',
  async (name) => {
    const target = await upToDate();
    const interruption = interruptions[name];
    for (const statement of interruption?.statements ?? []) await target.query(statement);

    expect(await hasWork(target)).toBe(true);
    expect(
      await target.query(
        `select outcome, reason, detail, views_refreshed, data_as_of
        from registry_stats.run('update_counts')`,
      ),
    ).toEqual([
      {
        outcome: 'skipped',
        reason: 'inexact',
        detail: `premis_events: ${interruption?.reason ?? ''}`,
        views_refreshed: [],
        data_as_of: null,
      },
    ]);
    expect(await target.query('select public.update_counts() as result')).toEqual([{ result: 0 }]);
    expect(await hasWork(target)).toBe(true);

    expect(await healed(target, 'update_counts')).toContain(
      `premis_events rebuilt: ${interruption?.reason ?? ''}`,
    );
    const [run] = await target.query<{ reason: string }>(
      'select reason from registry_stats.run order by id desc limit 1',
    );
    expect(run?.reason).toBe(`premis_events rebuilt: ${interruption?.reason ?? ''}`);
    await refreshAll(target);
    await expectTruth(target);
    await target.query(
      `insert into public.premis_events (event_type, created_at, updated_at)
      values ('ingestion', now(), now())`,
    );
    await becomesExact(target);
  },
);

test('a rewritten table is counted again, because the rewrite may have changed rows', async () => {
  const target = await upToDate();
  await target.query('vacuum full public.work_items');
  expect(await hasWork(target)).toBe(true);
  expect(await healed(target, 'update_counts')).toContain('work_items rebuilt: the table or its');
  await refreshAll(target);
  await expectTruth(target);
});

test('a truncate that the fold finds is repaired in the same run', async () => {
  const target = await upToDate();
  // As if the marked row came between the check of the catalog and the fold.
  await target.query(
    `begin; set local registry_stats.is_writing = on;
    insert into registry_stats.delta (source, rebuild_because, row_count)
    values ('work_items', 'the table was truncated', 0); commit`,
  );
  expect(await healed(target, 'update_counts')).toContain(
    'work_items rebuilt: the table was truncated',
  );
  await refreshAll(target);
  await expectTruth(target);
});

test('a rolled back truncate changes nothing', async () => {
  const target = await upToDate();
  await target.query('begin; truncate public.premis_events cascade; rollback');
  expect(await hasWork(target)).toBe(false);
  await expectTruth(target);
});

test('a count below zero shows that changes were not captured', async () => {
  const target = await upToDate();
  await target.query(
    `begin; set local registry_stats.is_writing = on;
    insert into registry_stats.delta (source, institution_id, facet, row_count)
    values ('work_items', 1, 'Never', -1); commit`,
  );
  expect(await healed(target, 'update_counts')).toContain(
    'work_items rebuilt: a count fell below zero: changes were not captured',
  );
  await refreshAll(target);
  await expectTruth(target);
});

test('a run cannot detect session_replication_role = replica; verify finds it', async () => {
  const target = await upToDate();
  await target.query(
    `begin; set local session_replication_role = replica; ${insertOf('work_items', 5)}; commit`,
  );

  expect(await hasWork(target)).toBe(false);
  expect(await ownDifferences(target.query)).not.toEqual([]);
  await target.query(
    `begin isolation level repeatable read; select registry_stats.rebuild('work_items'); commit`,
  );
  await refreshAll(target);
  await expectTruth(target);
});

test('a restored dump is detected and counted again', async () => {
  const target = await upToDate();
  await target.query(insertOf('generic_files', 9));
  // The state after pg_restore: the rows of all tables and of ours, and triggers that are newer
  // than the rows.
  for (const source of sources) {
    const triggers = await target.query<{ definition: string }>(
      `select pg_get_triggerdef(oid) as definition from pg_trigger
      where tgrelid = $1::regclass and not tgisinternal`,
      [`public.${source}`],
    );
    await target.query(`alter table public.${source} disable trigger user`);
    for (const event of ['insert', 'update', 'delete', 'truncate']) {
      await target.query(`drop trigger registry_stats_${event} on public.${source}`);
    }
    for (const { definition } of triggers) await target.query(definition);
  }
  expect(triggersOff(await target.query(countOff))).toBe(0);

  const detail = await healed(target, 'update_counts');
  for (const source of sources) {
    expect(detail).toContain(
      `${source} rebuilt: the table or its capture was changed, or the database was restored`,
    );
  }
  await refreshAll(target);
  await expectTruth(target);
});

const countOff = `select count(*)::int as n from pg_trigger
  where tgname like 'registry_stats%' and tgenabled not in ('O', 'A')`;

function triggersOff(rows: unknown[]): unknown {
  return (rows[0] as { n: number }).n;
}

test('a file copy of a database stays correct, with pending changes', async () => {
  const target = await upToDate();
  await target.query(insertOf('generic_files', 9));
  const copy = `${target.name}_copy`;
  const { host, port, user, password } = inject('server');
  const server = { host, port, user, password };
  const admin = new pg.Client({ ...server, database: 'postgres' });
  await admin.connect();
  try {
    await admin.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${target.name}'`,
    );
    await admin.query(`create database ${copy} template ${target.name}`);
    const client = new pg.Client({ ...server, database: copy });
    await client.connect();
    const query: TestDatabase['query'] = async <Row extends pg.QueryResultRow>(
      text: string,
      values?: unknown[],
    ) => (await client.query<Row>(text, values)).rows;
    await becomesExact({ ...target, query });
    await client.end();
  } finally {
    await admin.query(`drop database if exists ${copy} with (force)`);
    await admin.end();
  }
});

async function healed(target: TestDatabase, name: JobName): Promise<string> {
  const outcome = await refreshAsDaemon(target, name);
  return outcome.outcome === 'refreshed' ? outcome.detail : JSON.stringify(outcome);
}

async function refreshAll(target: TestDatabase): Promise<void> {
  for (const { name } of jobs) await refreshAsDaemon(target, name);
}
