import pg from 'pg';
import { expect, inject, onTestFinished, test, type TestContext } from 'vitest';
import { sources } from '../../src/statistics/installation.js';
import { rebuildSource } from '../../src/statistics/rebuild.js';
import { verify } from '../../src/statistics/verify.js';
import { wrongFigures } from '../exactness/truth.js';
import {
  expectLiveTruth,
  expectTruth,
  hasWork,
  writeOfEachTable,
} from '../exactness/two-sessions.js';
import { loadCsv } from '../support/load-csv.js';
import { runEachJob } from '../support/run-each-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

const timeouts = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };

/** Creates a publisher. Skipped on a caller's server without logical replication. */
async function publisher({ skip }: TestContext): Promise<TestDatabase> {
  const target = await createTestDatabase();
  const [may] = await target.query<{ publish: boolean }>(
    `select current_setting('wal_level') = 'logical' and rolsuper as publish
    from pg_roles where rolname = current_user`,
  );
  skip(may?.publish !== true, 'needs wal_level = logical and a superuser');
  await loadCsv(target.database);
  return target;
}

/**
 * Creates a copy of the publisher's database that follows it. Without pending deltas: those of a real
 * copy have the transaction ids of the publisher, by which their deletion is replicated.
 */
async function subscriber(to: TestDatabase, publication: string): Promise<TestDatabase> {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  for (const { database } of [to, target]) await runEachJob(database);
  const { host, port, user, password } = inject('server');
  const slot = to.name;
  await to.query(publication);
  await to.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  await target.query(
    `create subscription everything
    connection 'host=${host} port=${String(port)} user=${user} password=${password} dbname=${to.name}'
    publication everything
    with (copy_data = false, create_slot = false, slot_name = '${slot}')`,
  );
  onTestFinished(async () => {
    const admin = new pg.Client({ host, port, user, password, database: target.name });
    await admin.connect();
    await admin.query('alter subscription everything disable');
    await admin.query('alter subscription everything set (slot_name = none)');
    await admin.query('drop subscription everything');
    await admin.end();
    await dropSlot(to, slot);
  });
  return target;
}

/** Drops the slot, whose walsender may still be ending. */
async function dropSlot({ session }: TestDatabase, slot: string): Promise<void> {
  const client = await session();
  await expect
    .poll(
      () => client.query('select pg_drop_replication_slot($1)', [slot]).then(() => true, String),
      {
        timeout: 30_000,
        interval: 50,
      },
    )
    .toBe(true);
}

/** Switches over. Sequences are not replicated, so they must be set, Registry's and ours. */
async function takeOver(from: TestDatabase, to: TestDatabase): Promise<void> {
  const sequences = await from.query<{ name: string; last: string | null }>(
    `select format('%I.%I', schemaname, sequencename) as name, last_value as last
    from pg_sequences`,
  );
  for (const { name, last } of sequences) {
    if (last !== null) await to.query('select setval($1, $2)', [name, last]);
  }
}

/** Waits for a marker transaction: transactions are applied in order. */
async function untilApplied(from: TestDatabase, to: TestDatabase): Promise<void> {
  const [last] = await from.query<{ id: string }>(
    `insert into public.premis_events (event_type, created_at, updated_at)
    values ('ingestion', now(), now()) returning id`,
  );
  await expect
    .poll(() => to.query('select from public.premis_events where id = $1', [last?.id]), {
      timeout: 45_000,
      interval: 25,
    })
    .toHaveLength(1);
}

async function rebuildAll({ database }: TestDatabase): Promise<void> {
  for (const source of sources) await rebuildSource(database, source, timeouts);
}

test('a publication of all tables, with updates and deletes, blocks no statement', async (context) => {
  const target = await publisher(context);
  await target.query('create publication everything for all tables');
  await runEachJob(target.database);
  await target.query(writeOfEachTable);
  await target.query(`delete from public.generic_files where identifier = 'new1'`);
  await runEachJob(target.database);
  await rebuildAll(target);
  await runEachJob(target.database);
  await target.query('truncate public.work_items cascade');
  await runEachJob(target.database);

  await expectTruth(target);
  expect((await verify(target.database)).differences).toEqual([]);
});

test('writes of a subscription are not captured: verify reports drift, and a rebuild repairs it', async (context) => {
  const from = await publisher(context);
  const to = await subscriber(
    from,
    `create publication everything for table public.generic_files, public.intellectual_objects,
      public.premis_events, public.work_items`,
  );
  await runEachJob(to.database);
  await from.query(writeOfEachTable);
  await untilApplied(from, to);

  expect(await hasWork(to)).toBe(false);
  const { differences: found } = await verify(to.database);
  expect(new Set(found.map(({ source }) => source))).toEqual(new Set(sources));
  await rebuildAll(to);
  await runEachJob(to.database);
  await expectTruth(to);
});

test('a copy that follows all tables has correct rollups; its views need a rebuild', async (context) => {
  const from = await publisher(context);
  const to = await subscriber(from, 'create publication everything for all tables');
  await runEachJob(from.database);
  await from.query(writeOfEachTable);
  await runEachJob(from.database);
  await from.query(`update public.work_items set action = 'Pending'`);
  await untilApplied(from, to);

  expect(await wrongFigures(to.query, 'registry_stats.live_')).toEqual([]);
  expect(await wrongFigures(to.query, 'public.')).not.toEqual([]);
  expect((await verify(to.database)).differences).not.toEqual([]);

  await takeOver(from, to);
  await rebuildAll(to);
  await runEachJob(to.database);
  await expectTruth(to);
  await to.query(`update public.work_items set action = 'Captured'`);
  await expectLiveTruth(to);
  await runEachJob(to.database);
  await expectTruth(to);
});
