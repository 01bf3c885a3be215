import { expect, test } from 'vitest';
import { jobs } from '../../src/jobs/job.js';
import { sources } from '../../src/statistics/installation.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import {
  resultOf,
  beginWithSnapshot,
  expectLiveTruth,
  expectTruth,
  hasWork,
  isolations,
  oneSnapshot,
  runAll,
  untilBlocked,
  upToDate,
  writeOfEachTable,
} from './two-sessions.js';
import { viewsOverTables } from '../support/views-over-tables.js';
import { refreshAsDaemon } from '../support/refresh-as-daemon.js';

const runBoth = `select
  (registry_stats.run('update_counts')).outcome as counts,
  (registry_stats.run('update_current_deposit_stats')).outcome as deposits`;
const bothRefreshed = { counts: 'refreshed', deposits: 'refreshed' };
const pairs = isolations.flatMap((writer) => isolations.map((runner) => [writer, runner] as const));

test.each(pairs)(
  'a writer in %s that commits before a run in %s is in its figures',
  async (writers, runners) => {
    const target = await upToDate();
    const [writer, runner] = [await target.session(), await target.session()];

    await writer.query(`begin isolation level ${writers}`);
    await writer.query(writeOfEachTable);
    await expectLiveTruth(target);
    await writer.query('commit');
    await expectLiveTruth(target);
    await runner.query(`begin isolation level ${runners}`);
    expect(await resultOf(runner, runBoth)).toEqual(bothRefreshed);
    await runner.query('commit');

    await expectTruth(target);
  },
);

test.each(pairs)(
  'a writer in %s that commits during or after a run in %s is in the next figures',
  async (writers, runners) => {
    const target = await upToDate();
    const [during, after, runner] = [
      await target.session(),
      await target.session(),
      await target.session(),
    ];
    await target.query(`update public.generic_files set size = 5 where id = 1`);
    for (const writer of [during, after]) await writer.query(`begin isolation level ${writers}`);
    await during.query(writeOfEachTable);
    await after.query(`delete from public.premis_events where id < 9`);

    await runner.query(`begin isolation level ${runners}`);
    await runner.query(runBoth);
    await during.query('commit');
    await expectLiveTruth(target);
    await runner.query('commit');
    expect(await hasWork(target)).toBe(true);
    // The daemon's run is read committed. A serializable run may fail the writer, like any two
    // serializable transactions.
    const isVictim = (await resultOf(after, 'commit')) === '40001';
    expect(isVictim && !(writers === 'serializable' && runners === 'serializable')).toBe(false);
    if (isVictim) await after.query(`delete from public.premis_events where id < 9`);
    await expectLiveTruth(target);

    await runAll(target.query);
    await expectTruth(target);
  },
);

test.each(oneSnapshot)(
  'a run in %s with a snapshot older than a commit leaves it for the next run',
  async (isolation) => {
    const target = await upToDate();
    const runner = await target.session();
    await beginWithSnapshot(runner, isolation);
    await target.query(writeOfEachTable);

    expect(await resultOf(runner, runBoth)).toEqual({ counts: 'skipped', deposits: 'skipped' });
    await runner.query('commit');

    expect(await hasWork(target)).toBe(true);
    await runAll(target.query);
    await expectTruth(target);
  },
);

test.each(oneSnapshot)(
  'a run in %s that another run overtakes fails with a retryable error and loses nothing',
  async (isolation) => {
    const target = await upToDate();
    const runner = await target.session();
    // The deposits are due when the snapshot is taken. More changes arrive before the lock.
    await target.query(`update public.generic_files set state = 'D' where id = 1`);
    await target.query(`select registry_stats.run('update_counts')`);
    await beginWithSnapshot(runner, isolation);
    await target.query(writeOfEachTable);
    await target.query(`select registry_stats.run('update_counts')`);

    const run = `select registry_stats.run('update_current_deposit_stats')`;
    expect(await resultOf(runner, run)).toBe('40001');
    await runner.query('rollback');
    expect(await hasWork(target)).toBe(true);
    await runner.query(run);
    await expectTruth(target);
  },
);

test.each(oneSnapshot)('a run in %s records no data newer than its snapshot', async (level) => {
  const target = await upToDate();
  const runner = await target.session();
  await target.query(writeOfEachTable);
  await beginWithSnapshot(runner, level);
  // Microseconds, because two times may share a millisecond.
  const [late] = await target.query<{ at: string }>(
    `insert into public.premis_events (created_at, updated_at) values (now(), now())
    returning extract(epoch from clock_timestamp()) * 1000000 as at`,
  );

  const { rows } = await runner.query<{ outcome: string; at: string }>(
    `select outcome, extract(epoch from data_as_of) * 1000000 as at
    from registry_stats.run('update_counts')`,
  );
  await runner.query('commit');
  expect(rows[0]?.outcome).toBe('refreshed');
  expect(Number(rows[0]?.at)).toBeLessThan(Number(late?.at));
});

test('during one run, a second one is busy at once, for any caller', async () => {
  const target = await upToDate();
  const [first, second] = [await target.session(), await target.session()];
  await second.query(`set lock_timeout = '1ms'`);
  await target.query(writeOfEachTable);
  await first.query('begin');
  expect(await resultOf(first, 'select public.update_counts() as result')).toEqual({ result: 1 });

  const busy = { outcome: 'skipped', reason: 'busy' };
  for (const { name } of jobs.slice(0, 2)) {
    const run = 'select outcome, reason from registry_stats.run($1)';
    expect(await resultOf(second, run, [name])).toEqual(busy);
    expect(await resultOf(second, `select public.${name}() as result`)).toEqual({ result: 0 });
    expect(await refreshAsDaemon(target, name, 100)).toEqual(busy);
  }
  expect(await resultOf(second, `select registry_stats.rebuild('work_items')`)).toBe('55P03');
  await first.query('commit');

  await runAll(target.query);
  await expectTruth(target);
});

test('a caller with an open transaction after "not needed" blocks no other session', async () => {
  const target = await upToDate();
  const registry = await target.session();
  await registry.query('begin');
  expect(await resultOf(registry, 'select public.update_counts() as result')).toEqual({
    result: 0,
  });
  await registry.query('select public.update_current_deposit_stats()');

  expect(await refreshAsDaemon(target, 'update_counts', 100)).toEqual({
    outcome: 'skipped',
    reason: 'unchanged',
  });
  await target.query(writeOfEachTable);
  for (const job of ['update_counts', 'update_current_deposit_stats'] as const) {
    expect(await refreshAsDaemon(target, job, 100)).toMatchObject({ outcome: 'refreshed' });
  }
  await registry.query('commit');
  await expectTruth(target);
});

test('a prepared transaction counts from its commit on', async (context) => {
  const target = await upToDate();
  const [setting] = await target.query<{ most: string }>(
    `select current_setting('max_prepared_transactions') as most`,
  );
  if (setting?.most === '0') context.skip('max_prepared_transactions is 0');
  const writer = await target.session();
  await writer.query('begin');
  await writer.query(writeOfEachTable);
  await writer.query(`prepare transaction '${target.name}'`);

  await runAll(target.query);
  await expectTruth(target);
  await writer.query(`commit prepared '${target.name}'`);
  expect(await hasWork(target)).toBe(true);
  await expectLiveTruth(target);
  await runAll(target.query);
  await expectTruth(target);
});

test.each(oneSnapshot)('a rebuild in %s and writers do not wait for each other', async (level) => {
  const target = await upToDate();
  const [early, late, rebuilder] = [
    await target.session(),
    await target.session(),
    await target.session(),
  ];
  for (const client of [early, late, rebuilder]) await client.query(`set lock_timeout = '1ms'`);
  await early.query('begin');
  await early.query(writeOfEachTable);

  await rebuilder.query(`begin isolation level ${level}`);
  for (const source of sources) {
    await rebuilder.query('select registry_stats.rebuild($1)', [source]);
  }
  await late.query(`delete from public.premis_events where id < 9`);
  await early.query('commit');
  await rebuilder.query('commit');

  await expectLiveTruth(target);
  await runAll(target.query);
  await expectTruth(target);
});

test.each(['read committed', 'read uncommitted'])(
  'a rebuild in %s waits for active writers, and later writers wait for the rebuild',
  async (isolation) => {
    const target = await upToDate();
    const [early, late, rebuilder] = [
      await target.session(),
      await target.session(),
      await target.session(),
    ];
    await early.query('begin');
    await early.query(writeOfEachTable);
    await rebuilder.query(`begin isolation level ${isolation}`);
    const rebuild = await untilBlocked(
      target,
      rebuilder,
      `select registry_stats.rebuild('generic_files')`,
    );
    await early.query('commit');
    await rebuild.result;
    const write = await untilBlocked(
      target,
      late,
      `update public.generic_files set size = 99 where id = 3`,
    );
    await rebuilder.query('commit');
    await write.result;

    await expectLiveTruth(target);
    await runAll(target.query);
    await expectTruth(target);
  },
);

test.each(oneSnapshot)(
  'a rebuild in %s fails with a retryable error if a fold came between snapshot and lock',
  async (isolation) => {
    const target = await upToDate();
    const rebuilder = await target.session();
    await target.query(writeOfEachTable);
    await beginWithSnapshot(rebuilder, isolation);
    await target.query('update public.generic_files set size = 99 where id = 3');
    await runAll(target.query);

    const rebuild = `select registry_stats.rebuild('generic_files')`;
    expect(await resultOf(rebuilder, rebuild)).toBe('40001');
    await rebuilder.query('rollback');
    await rebuilder.query(`begin isolation level ${isolation}`);
    await rebuilder.query(rebuild);
    await rebuilder.query('commit');
    await runAll(target.query);
    await expectTruth(target);
  },
);

test.each(oneSnapshot)(
  'a first rebuild in %s fails with a retryable error if another came between snapshot and lock',
  async (isolation) => {
    const target = await upToDate();
    await target.query('delete from registry_stats.count_rollup');
    await target.query('truncate registry_stats.deposit_rollup, registry_stats.deposit_total');
    const second = await target.session();
    await beginWithSnapshot(second, isolation);
    const rebuild = `select registry_stats.rebuild('generic_files')`;
    await target.query(rebuild);

    expect(await resultOf(second, rebuild)).toBe('40001');
  },
);

test.each(oneSnapshot)(
  'a rebuild in %s keeps what was written and folded after its snapshot',
  async (isolation) => {
    for (const source of sources) {
      const target = await upToDate();
      const rebuilder = await target.session();
      await beginWithSnapshot(rebuilder, isolation);
      await target.query(writeOfEachTable);
      await runAll(target.query);

      const result = await resultOf(rebuilder, 'select registry_stats.rebuild($1)', [source]);
      await rebuilder.query(result === '40001' ? 'rollback' : 'commit');
      await runAll(target.query);
      await expectTruth(target);
    }
  },
);

test('capture waits for a writer that began without it; the rebuild includes its rows', async () => {
  const target = await upToDate();
  const [writer, later, migrator] = [
    await target.session(),
    await target.session(),
    await target.session(),
  ];
  for (const event of ['insert', 'update', 'delete', 'truncate']) {
    await target.query(`drop trigger registry_stats_${event} on public.generic_files`);
  }
  await writer.query('begin');
  await writer.query(writeOfEachTable);
  await later.query('begin');
  await later.query('select 1');

  const attach = await untilBlocked(
    target,
    migrator,
    `select registry_stats.attach_capture('generic_files')`,
  );
  await writer.query('commit');
  await attach.result;
  // Its transaction is older than the triggers; its first write is newer.
  await later.query('update public.generic_files set size = 99 where id = 3');
  await target.query('begin isolation level repeatable read');
  await target.query(`select registry_stats.rebuild('generic_files')`);
  await target.query('commit');
  await later.query('commit');

  await expectLiveTruth(target);
  await runAll(target.query);
  await expectTruth(target);
});

test('two sessions attach capture once, without blocking readers', async () => {
  const target = await upToDate();
  const [reader, first, second] = [
    await target.session(),
    await target.session(),
    await target.session(),
  ];
  await target.query('alter table public.work_items disable trigger registry_stats_update');
  await reader.query('begin');
  await reader.query('select count(*) from public.work_items');
  const attach = `select registry_stats.attach_capture('work_items') as did`;
  await first.query('begin');
  expect(await resultOf(first, attach)).toEqual({ did: true });
  // It holds no lock meanwhile, and is tried again.
  expect(await resultOf(second, attach)).toBe('55P03');
  expect((await reader.query('select count(*) from public.work_items')).rows).toHaveLength(1);
  await first.query('commit');
  expect(await resultOf(second, attach)).toEqual({ did: false });
});

test.each(isolations)(
  'a reader in %s that began before the views are swapped finds figures in them',
  async (isolation) => {
    const target = await beforeSwap();
    const reader = await target.session();
    await reader.query(
      'prepare figures as select sum(row_count) as n from public.premis_event_counts',
    );
    await reader.query('execute figures');
    await beginWithSnapshot(reader, isolation);
    await target.query(writeOfEachTable);
    await target.query('select registry_stats.swap_views()');

    const plain = await resultOf(
      reader,
      'select sum(row_count) as n from public.premis_event_counts',
    );
    const prepared = await resultOf(reader, 'execute figures');
    expect(plain).toEqual({ n: expect.stringMatching(/^[1-9]/) as string });
    expect(prepared).toEqual(plain);
    await reader.query('commit');
    await expectTruth(target);
  },
);

test.each(isolations)(
  'a reader in %s that comes during the swap waits, and then reads the new view',
  async (isolation) => {
    const target = await beforeSwap();
    const [reader, preparedReader, migrator] = [
      await target.session(),
      await target.session(),
      await target.session(),
    ];
    const figures = 'select sum(row_count) as n from public.generic_file_counts';
    await preparedReader.query(`prepare figures as ${figures}`);
    await preparedReader.query('execute figures');
    await target.query(writeOfEachTable);
    for (const client of [reader, preparedReader]) await beginWithSnapshot(client, isolation);
    await migrator.query('begin');
    await migrator.query('select registry_stats.swap_views()');

    const plain = await untilBlocked(target, reader, figures);
    const prepared = await untilBlocked(target, preparedReader, 'execute figures');
    await migrator.query('commit');
    const [truth] = await target.query(figures);
    expect((await plain.result).rows).toEqual([truth]);
    expect((await prepared.result).rows).toEqual([truth]);
  },
);

test('a swap rolls back for a reader of several views before the server ends the reader', async () => {
  const target = await beforeSwap();
  const [reader, migrator] = [await target.session(), await target.session()];
  await reader.query('begin');
  await reader.query('select count(*) from public.work_item_counts');
  await migrator.query(`set lock_timeout = '30s'`);
  const swap = await untilBlocked(target, migrator, 'select registry_stats.swap_views()');

  // The swap holds this view already, so each of the two waits for the other.
  const { rows } = await reader.query('select count(*) from public.current_deposit_stats');
  expect(rows).toHaveLength(1);
  await expect(swap.result).rejects.toMatchObject({ code: '55P03' });
  await reader.query('commit');
  await migrator.query('select registry_stats.swap_views()');
  await expectTruth(target);
});

test('a view that another session creates during a swap is a conflict, to be tried again', async () => {
  const target = await beforeSwap();
  const [owner, migrator] = [await target.session(), await target.session()];
  await target.query('drop materialized view public.work_item_counts');
  await owner.query('begin');
  await owner.query('create materialized view public.work_item_counts as select 1 as one');
  const swap = await untilBlocked(target, migrator, 'select registry_stats.swap_views()');
  await owner.query('commit');

  await expect(swap.result).rejects.toMatchObject({ code: '55P03' });
  await migrator.query('select registry_stats.swap_views()');
  await expectTruth(target);
});

test('a swap does not interrupt a run', async () => {
  const target = await beforeSwap();
  const runner = await target.session();
  await runner.query('begin');
  await runner.query('select public.update_counts()');

  await expect(target.query('select registry_stats.swap_views()')).rejects.toMatchObject({
    code: '55P03',
  });
  await runner.query('commit');
  await target.query('select registry_stats.swap_views()');
  await expectTruth(target);
});

test('two concurrent history runs: the second is busy, and each month exists once', async () => {
  const target = await upToDate();
  const first = await target.session();
  const run = 'select outcome, reason from registry_stats.run_history()';
  await first.query('begin');
  expect(await resultOf(first, run)).toEqual({ outcome: 'refreshed', reason: null });
  expect(await target.query(run)).toEqual([{ outcome: 'skipped', reason: 'busy' }]);
  await first.query('commit');
  expect(await target.query(run)).toEqual([{ outcome: 'skipped', reason: 'complete' }]);
  expect(await monthsTwice(target)).toEqual([]);
});

test.each(oneSnapshot)(
  'a history run in %s with a snapshot from before another one inserts no month twice',
  async (isolation) => {
    // Without files there are only grand totals, which no unique key separates.
    const target = await createTestDatabase();
    const [second, third] = [await target.session(), await target.session()];
    for (const client of [second, third]) await beginWithSnapshot(client, isolation);
    await target.query('select registry_stats.run_history()');

    expect(await resultOf(second, 'select registry_stats.run_history()')).toBe('40001');
    // The error arrives before the lock is released.
    await second.query('rollback');
    expect(
      await resultOf(third, `select public.populate_historical_deposit_stats('2020-01-01'::date)`),
    ).toBe('40001');
    await third.query('rollback');
    expect(await monthsTwice(target)).toEqual([]);
  },
);

test('views that belong to another role are refreshed after the swap', async () => {
  const target = await beforeSwap();
  const owner = `${target.name}_owner`;
  await target.query(`create role ${owner}`);
  try {
    await target.query(`grant usage, create on schema public to ${owner}`);
    await target.query(`grant select on all tables in schema public to ${owner}`);
    await target.query(`alter materialized view public.current_deposit_stats owner to ${owner}`);
    await target.query(`alter materialized view public.generic_file_counts owner to ${owner}`);
    await target.query('select registry_stats.swap_views()');
    await target.query(writeOfEachTable);
    await runAll(target.query);
    await expectTruth(target);
  } finally {
    await target.query(`reassign owned by ${owner} to current_user`);
    await target.query(`drop owned by ${owner}`);
    await target.query(`drop role ${owner}`);
  }
});

/** Rollups and triggers exist; the views are not swapped yet. */
async function beforeSwap(): Promise<TestDatabase> {
  const target = await upToDate();
  await target.query(viewsOverTables);
  return target;
}

function monthsTwice({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select end_date, institution_id, storage_option from public.historical_deposit_stats
    group by end_date, institution_id, storage_option having count(*) > 1`,
  );
}
