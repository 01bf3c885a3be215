import type pg from 'pg';
import { expect, test } from 'vitest';
import type { Query } from '../src/db/transaction.js';
import { readStatistics } from '../src/status/read-statistics.js';
import { wrongFigures } from './exactness/truth.js';
import { createLiveDatabase, registryViewText, runAs } from './support/live-state.js';
import { expectExact, migrated, write, type Scene } from './support/migrated-live.js';
import { createLogin, migrateAs, type Login } from './support/owned-database.js';
import { runEachJob } from './support/run-each-job.js';
import { eventually } from './support/slow-job.js';

// Rare operations of Registry's operators. test/others.test.ts has the usual ones.

const oneSnapshot = ['repeatable read', 'serializable'] as const;

const registryCalls = [
  'select public.update_counts()',
  'select public.update_current_deposit_stats()',
];

let lastId = 92_000;

const marks = `select source, rebuild_because as reason from registry_stats.delta
  where rebuild_because is not null order by id`;

async function codeOf(statement: Promise<unknown>): Promise<string | undefined> {
  try {
    await statement;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

async function firstRow(client: pg.Client, text: string): Promise<unknown> {
  return (await client.query<pg.QueryResultRow>(text)).rows[0];
}

test('detach makes its own table untrusted, and no other', async () => {
  const scene = await migrated();
  await write(scene, 91_001);
  await scene.session.query(`select registry_stats.detach('premis_events')`);
  expect(await scene.query(marks)).toEqual([
    { source: 'premis_events', reason: 'capture was detached' },
  ]);
  const names = async (): Promise<unknown> =>
    (await readStatistics(scene.owner.database)).inexact.map(({ name }) => name);
  expect(await names()).toEqual(['premis_events']);

  // Registry's own call folds the mark, but attaches and rebuilds nothing.
  await scene.session.query('select public.update_counts()');
  expect(await names()).toEqual(['premis_events']);
  expect(
    await scene.query('select name from registry_stats.source where not is_exact order by name'),
  ).toEqual([{ name: 'premis_events' }]);
  const [shown] = await scene.query(
    `select
      (select stamp from registry_stats.view where name = 'premis_event_counts')
        < (select stamp from registry_stats.view where name = 'work_item_counts') as "isLeft"`,
  );
  expect(shown).toEqual({ isLeft: true });

  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

const whileSnapshotIsHeld: Record<string, string> = {
  'a unique index is dropped': 'drop index public.ix_premis_event_counts',
  'the index of the deposits is dropped':
    'drop index public.ix_current_deposits_inst_id_storage_option',
  'a view is emptied': 'refresh materialized view public.premis_event_counts with no data',
  'the deposits are emptied': 'refresh materialized view public.current_deposit_stats with no data',
  'a view is dropped': 'drop materialized view public.premis_event_counts',
  'the deposits are dropped': 'drop materialized view public.current_deposit_stats',
  'a view is created again': registryViewText('premis_event_counts'),
  'the deposits are created again, without data': registryViewText('current_deposit_stats', {
    isFilled: false,
  }),
};

test.each(Object.entries(whileSnapshotIsHeld))(
  'runs and Registry’s calls do not fail if %s after their snapshot',
  async (_, statements) => {
    const scene = await migrated();
    for (const [isolation, ...calls] of [
      [
        'repeatable read',
        `select * from registry_stats.run('update_counts')`,
        `select * from registry_stats.run('update_current_deposit_stats')`,
      ],
      ['repeatable read', ...registryCalls],
      ['serializable', ...registryCalls],
    ]) {
      await write(scene, ++lastId);
      const runner = await scene.owner.session();
      await runner.query(`begin isolation level ${isolation ?? ''}`);
      await runner.query('select count(*) from public.institutions');
      await runAs(scene.owner, statements);
      for (const call of calls) await runner.query(call);
      await runner.query('commit');
      await runner.end();
      // An unchanged view shows what the snapshot saw.
      if (!/drop mat|create mat/.test(statements)) {
        expect(await wrongFigures(scene.query, 'public.')).toEqual([]);
      }
      await runEachJob(scene.owner.database);
      await expectExact(scene);
    }
  },
);

test('a table that is detached between attach and rebuild stays untrusted, and the run goes on', async () => {
  const scene = await migrated();
  await scene.session.query(`select registry_stats.detach('premis_events')`);
  const other = await scene.owner.session();
  await other.query('begin');
  await other.query('select registry_stats.try_lock()');

  // The run attaches, and waits with the rebuild for the lock.
  const run = runEachJob(scene.owner.database);
  const isAttached = `select from registry_stats.source
    where name = 'premis_events' and registry_stats.is_attached(name)`;
  await eventually('capture', async () => (await scene.query(isAttached)).length === 1);
  await other.query(`select registry_stats.detach('premis_events')`);
  await other.query('commit');
  const outcomes = await run;
  await other.end();

  expect(outcomes.map(({ outcome }) => outcome)).not.toContain('failed');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('a run names the session that locks its view, and does not fail if the view is dropped meanwhile', async () => {
  const scene = await migrated();
  const [runner, dropper] = [await scene.owner.session(), await scene.owner.session()];
  await write(scene, 91_005);
  await scene.session.query(`update public.intellectual_objects set state = 'D' where id = 1`);
  await dropper.query('begin; drop materialized view public.premis_event_counts');
  const { processID } = dropper as unknown as { processID: number };
  await runner.query(`set lock_timeout = '100ms'`);
  await expect(runner.query('select public.update_counts()')).rejects.toMatchObject({
    code: '55P03',
    message: 'registry_stats: could not lock public.premis_event_counts',
    detail: expect.stringContaining(`process ${String(processID)} of role`) as unknown,
  });
  await runner.query('reset lock_timeout');
  const call = runner.query('select public.update_counts()');
  await expect
    .poll(() => scene.target.query('select from pg_locks where not granted'))
    .not.toHaveLength(0);
  await dropper.query('commit');
  await call;
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('each transaction with uncaptured rows leaves exactly one mark', async () => {
  const scene = await migrated();
  const other = await scene.owner.session();
  const add = (client: pg.Client, id: number): Promise<unknown> =>
    client.query(
      `insert into public.work_items (id, name, created_at, updated_at)
      values (${String(id)}, 'w', now(), now())`,
    );
  await scene.session.query('alter table public.work_items rename column action to what');
  await add(scene.session, 91_006);
  await other.query('begin');
  await add(other, 91_007);
  await add(other, 91_008);
  expect((await other.query(marks)).rows).toHaveLength(2);
  // The first mark is folded before the other transaction commits.
  await scene.session.query('select public.update_counts()');
  expect(await scene.query(marks)).toEqual([]);
  await other.query('commit');
  expect(await scene.query(marks)).toHaveLength(1);

  await scene.session.query('alter table public.work_items rename column what to action');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test.each([
  ['registry_stats_insert', 'public.work_items'],
  ['registry_stats_guard', 'registry_stats.delta'],
])('attaching without %s rolls back for a writer of %s, and names it', async (trigger, table) => {
  const scene = await migrated();
  await scene.session.query(`drop trigger ${trigger} on ${table}`);
  const [writer, second] = [await scene.owner.session(), await scene.owner.session()];
  await writer.query(`begin; update public.work_items set action = 'Fetch' where id = 1`);
  // Only a wait for a lock without a timeout meets this one.
  await second.query(`set statement_timeout = '20s'`);
  const { processID } = writer as unknown as { processID: number };
  await expect(
    second.query(`select registry_stats.attach_capture('work_items')`),
  ).rejects.toMatchObject({
    code: '55P03',
    message: `registry_stats: could not lock ${table} within 0.3 s`,
    detail: expect.stringContaining(`process ${String(processID)} of role`) as unknown,
  });
  await writer.query('commit');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('attaching fails before a table is locked if an open transaction has its record', async () => {
  const scene = await migrated();
  await scene.session.query('drop trigger registry_stats_insert on public.work_items');
  const [caller, second] = [await scene.owner.session(), await scene.owner.session()];
  await caller.query('begin; update registry_stats.source set reason = reason');
  await second.query(`set lock_timeout = '20s'`);
  await expect(
    second.query(`select registry_stats.attach_capture('work_items')`),
  ).rejects.toMatchObject({
    code: '55P03',
    message: 'could not obtain lock on row in relation "source"',
  });
  await caller.query('rollback');
});

test('guards are created without making writers wait for a run that is open', async () => {
  const scene = await migrated();
  await scene.session.query('drop trigger registry_stats_guard on registry_stats.deposit_total');
  const [runner, second] = [await scene.owner.session(), await scene.owner.session()];
  // It has both. The first one that is asked for is named.
  await runner.query('begin; update registry_stats.epoch set number = number');
  await runner.query(`update public.work_items set action = 'Fetch' where id = 1`);
  await expect(
    second.query(`select registry_stats.attach_capture('work_items')`),
  ).rejects.toMatchObject({
    code: '55P03',
    message: 'registry_stats: could not lock registry_stats.epoch within 0.3 s',
  });
  await runner.query('commit');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('migrate creates a disabled guard, and computes the rollups again', async () => {
  const scene = await migrated();
  const table = 'alter table registry_stats.count_rollup';
  await scene.session.query(`${table} disable trigger registry_stats_guard`);
  await scene.session.query('update registry_stats.count_rollup set row_count = row_count + 1');
  await migrateAs(scene.owner);
  expect((await readStatistics(scene.owner.database)).inexact).toEqual([]);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test.each([
  `update public.institutions set name = 'North-West' where id = 1`,
  'update public.institutions set member_institution_id = null where id = 2',
  'update public.storage_options set cost_gb_per_month = 7 where id = 1',
])('deposits show another name, parent or price after the next call: %s', async (statement) => {
  const scene = await migrated();
  await scene.session.query(statement);
  expect(
    await firstRow(scene.session, 'select public.update_current_deposit_stats() as result'),
  ).toEqual({ result: 1 });
  await expectExact(scene);
});

const uncountable: Record<string, { statements: string; reason: string; back: string }> = {
  'a counted column that holds no number': {
    statements: `select registry_stats.detach('premis_events');
      drop view public.premis_events_view;
      alter table public.premis_events alter institution_id type varchar`,
    reason:
      'its column institution_id has type character varying, expected a number; alter its type, or upgrade registry-stats',
    back: 'alter table public.premis_events alter institution_id type int using institution_id::int',
  },
  'a view in the place of a table': {
    statements: `alter table public.premis_events rename to all_events;
      create view public.premis_events as select * from public.all_events`,
    reason: 'public.premis_events is not a table',
    back: 'drop view public.premis_events; alter table public.all_events rename to premis_events',
  },
  'a table that is gone': {
    statements: 'alter table public.premis_events rename to all_events',
    reason: 'table public.premis_events is gone',
    back: 'alter table public.all_events rename to premis_events',
  },
};

test.each(Object.entries(uncountable))(
  '%s is named, and the other figures are refreshed',
  async (_, { statements, reason, back }) => {
    const scene = await migrated();
    await scene.session.query(statements);
    await scene.session.query(`update public.work_items set action = 'Restore' where id = 1`);
    const outcomes = await runEachJob(scene.owner.database);
    expect(outcomes.map(({ outcome }) => outcome)).not.toContain('failed');
    expect((await readStatistics(scene.owner.database)).inexact).toEqual([
      { name: 'premis_events', reason, isRepairable: false },
    ]);
    expect(await wrongFigures(scene.query, 'public.', ['work_item_counts'])).toEqual([]);
    await scene.session.query(back);
    await runEachJob(scene.owner.database);
    await expectExact(scene);
  },
);

test('the next run recreates a dropped unique index', async () => {
  const scene = await migrated();
  const indexes = `select indrelid::regclass::text as view from pg_index
    where indrelid in ('public.generic_file_counts'::regclass, 'public.current_deposit_stats'::regclass)
      and indisunique order by 1`;
  const before = await scene.query(indexes);
  await scene.session.query(
    `drop index public.ix_generic_file_counts, public.ix_current_deposits_inst_id_storage_option`,
  );
  await runEachJob(scene.owner.database);
  expect(await scene.query(indexes)).toEqual(before);
  expect(before).toHaveLength(2);
});

test('verify names an empty view, and does not fail if one is emptied meanwhile', async () => {
  const scene = await migrated();
  const differences = (client: pg.Client): Promise<unknown> =>
    client
      .query<{ view: string }>(
        `select view, found from registry_stats.differences('generic_files')`,
      )
      .then(({ rows }) => rows);
  const older = await scene.owner.session();
  await older.query('begin isolation level repeatable read; select from public.institutions');
  await scene.session.query('refresh materialized view public.current_deposit_stats with no data');
  expect(await differences(scene.session)).toEqual([
    { view: 'current_deposit_stats', found: 'empty' },
  ]);
  expect(await differences(older)).toEqual([]);
  await older.query('commit');
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test('old run records are removed without waiting for a caller with an open transaction', async () => {
  const scene = await migrated();
  await scene.session.query(
    `insert into registry_stats.run (job, trigger, backend_pid, backend_start, started_at, finished_at, outcome)
    select 'update_counts', 'sql', 1, now() - age, now() - age, now() - age, 'refreshed'
    from unnest('{91 days,92 days,93 days}'::interval[]) as age`,
  );
  const old = `select id from registry_stats.run where started_at < now() - interval '90 days'`;
  const caller = await scene.owner.session();
  const second = await scene.owner.session();
  await second.query(`set lock_timeout = '1ms'`);
  await caller.query('begin');
  await write(scene, 91_003);
  await caller.query('select public.update_counts()');
  // The caller has removed the records, and holds their locks until its end.
  expect((await caller.query(old)).rows).toEqual([]);
  expect(await scene.query(old)).toHaveLength(3);

  expect(await firstRow(second, 'select public.update_counts() as result')).toEqual({ result: 0 });
  expect(
    await firstRow(second, `select registry_stats.begin_run('update_counts', 'command') as id`),
  ).toEqual({ id: expect.any(String) as unknown });
  await caller.query('rollback');
  await second.query('select public.update_counts()');
  expect(await scene.query(old)).toEqual([]);
  await runEachJob(scene.owner.database);
  await expectExact(scene);
});

test.each(oneSnapshot)(
  'of two folds in %s that move an object there and back one fails, and succeeds on a retry',
  async (isolation) => {
    const scene = await migrated();
    const [early, late] = [await scene.owner.session(), await scene.owner.session()];
    const move = (option: string): Promise<unknown> =>
      scene.session.query(
        `update public.generic_files set storage_option = '${option}' where id = 4`,
      );
    const run = 'select public.update_current_deposit_stats() as result';
    const objects = `select storage_option, object_count from registry_stats.deposit_total
      where institution_id is null order by 1`;
    const before = await scene.query(objects);

    await move('Standard');
    await early.query(`begin isolation level ${isolation}`);
    await early.query('select count(*) from public.institutions');
    await move('Glacier-OH');
    await late.query(`begin isolation level ${isolation}`);
    expect(await firstRow(late, run)).toEqual({ result: expect.any(Number) as unknown });
    await late.query('commit');
    expect(await codeOf(early.query(run))).toBe('40001');
    await early.query('rollback');

    await early.query(`begin isolation level ${isolation}`);
    await early.query(run);
    await early.query('commit');
    expect(await scene.query(objects)).toEqual(before);
    await runEachJob(scene.owner.database);
    await expectExact(scene);
  },
);

test('two concurrent sessions insert a date of the history once', async () => {
  const scene = await migrated();
  const [first, second] = [await scene.owner.session(), await scene.owner.session()];
  await second.query(`set lock_timeout = '1ms'`);
  const insert = `select public.populate_historical_deposit_stats('2023-05-15'::date) as result`;
  const rows = `select count(*)::int as rows, count(distinct (institution_name, storage_option))::int as keys
    from public.historical_deposit_stats where end_date = '2023-05-15'`;

  await first.query('begin');
  expect(await firstRow(first, insert)).toEqual({ result: 1 });
  expect(await firstRow(second, insert)).toEqual({ result: 0 });
  await first.query('rollback');
  expect(await firstRow(second, rows)).toEqual({ rows: 0, keys: 0 });

  await first.query('begin');
  expect(await firstRow(first, insert)).toEqual({ result: 1 });
  expect(await firstRow(second, insert)).toEqual({ result: 0 });
  await first.query('commit');
  expect(await firstRow(second, insert)).toEqual({ result: 0 });
  const found = (await firstRow(second, rows)) as { rows: number; keys: number };
  expect(found.rows).toBeGreaterThan(1);
  expect(found.keys).toBe(found.rows);

  // Concurrent, many times: the second session inserts nothing.
  for (let day = 2; day <= 9; day++) {
    const call = `select public.populate_historical_deposit_stats('2023-07-0${String(day)}'::date) as result`;
    const results = await Promise.all([firstRow(first, call), firstRow(second, call)]);
    expect(results).toContainEqual({ result: 1 });
    expect(results).toContainEqual({ result: 0 });
  }
  expect(
    await scene.query(
      `select end_date from public.historical_deposit_stats
      group by end_date, institution_id, storage_option having count(*) > 1`,
    ),
  ).toEqual([]);
});

const views = [
  'premis_event_counts',
  'intellectual_object_counts',
  'generic_file_counts',
  'work_item_counts',
  'current_deposit_stats',
];

/** Registry's published functions keep their flags there. */
const flags = 'grant select, update on public.ar_internal_metadata to';

/** The ways to the privilege MAINTAIN, and what is granted. */
const maintainers: Record<string, (role: string) => string> = {
  'on the views': (role) => `grant select, maintain on ${views.join(', ')} to ${role}`,
  'on all tables, by pg_maintain': (role) =>
    `grant pg_maintain to ${role}; grant select on ${views.join(', ')} to ${role}`,
};

test.for(Object.entries(maintainers))(
  'a role that only holds MAINTAIN %s keeps the functions that it could call',
  async ([, grant], context) => {
    // Without rows Registry's functions consider no view fresh.
    const live = await createLiveDatabase({ data: 'none' });
    const { owner, target } = live;
    if (!(await hasMaintain(target.query))) context.skip('PostgreSQL 16 and before have none');
    const caller = await createLogin(target, 'caller');
    await target.query(grant(caller.role));
    await target.query(`${flags} ${caller.role}`);
    const calls = ['update_counts', 'update_current_deposit_stats'];
    expect(await callEach(caller, calls)).toEqual([1, 1]);
    const denied = await callEach(caller, historyCalls);

    await migrateAs(owner);
    await runEachJob(owner.database);
    expect(await callEach(caller, calls)).toEqual([0, 0]);
    const scene: Scene = {
      ...live,
      session: await owner.session(),
      query: (text, values) => owner.database.read(text, values),
    };
    await scene.session.query(
      `insert into public.institutions (name, identifier, state, type, receiving_bucket, restore_bucket, created_at, updated_at)
      values ('East', 'east.edu', 'A', 'MemberInstitution', 'in', 'out', now(), now())`,
    );
    await write(scene, 91_004);
    expect(await callEach(caller, calls)).toEqual([1, 1]);
    await expectExact(scene);
    // Their own refresh works as before, and our next run is correct again.
    const session = await caller.session();
    for (const view of views) {
      await session.query(`refresh materialized view concurrently public.${view}`);
    }
    await runEachJob(owner.database);
    await expectExact(scene);
    // What was refused to them is still refused.
    expect(denied).toEqual(historyCalls.map(() => '42501'));
    expect(await callEach(caller, historyCalls)).toEqual(denied);
  },
);

const historyCalls = ['populate_empty_deposit_stats', 'populate_historical_deposit_stats'];

/** Returns the result of each function, or its error code. */
async function callEach(caller: Login, names: readonly string[]): Promise<unknown[]> {
  const client = await caller.session();
  const found: unknown[] = [];
  for (const name of names) {
    const argument = name === 'populate_historical_deposit_stats' ? `'2023-05-15'::date` : '';
    found.push(
      await client
        .query<{ result: unknown }>(`select public.${name}(${argument}) as result`)
        .then(({ rows }) => rows[0]?.result)
        .catch((error: unknown) => (error as { code?: string }).code),
    );
  }
  await client.end();
  return found;
}

/** Returns whether MAINTAIN exists: since PostgreSQL 17. */
async function hasMaintain(query: Query): Promise<boolean> {
  const [row] = await query<{ has: boolean }>(
    `select current_setting('server_version_num')::int >= 170000 as has`,
  );
  return row?.has === true;
}
