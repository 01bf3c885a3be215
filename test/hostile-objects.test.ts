import { expect, test } from 'vitest';
import type { Database } from '../src/db/database.js';
import { readPlan } from '../src/schema/plan.js';
import { jobNames } from '../src/jobs/job.js';
import { printPending } from '../src/schema/print.js';
import { readSqlFiles } from '../src/schema/sql-files.js';
import { readFigures } from '../src/status/figures.js';
import { readFreshness } from '../src/status/freshness.js';
import { readStatistics } from '../src/status/read-statistics.js';
import { preflight } from '../src/statistics/preflight.js';
import { readRuns } from '../src/status/run-history.js';
import { verify } from '../src/statistics/verify.js';
import { wrongFigures, wrongRollups } from './exactness/truth.js';
import { writeOfEachTable } from './exactness/two-sessions.js';
import { countSprung, createHostileSchema } from './support/hostile-schema.js';
import {
  createLogin,
  createOwnedDatabase,
  createLegacyOwnedDatabase,
  migrateAs,
  rolesScript,
  type Login,
} from './support/owned-database.js';
import { runEachJob } from './support/run-each-job.js';
import { runScript } from './support/run-script.js';
import type { TestDatabase } from './support/test-database.js';

/** Ignores the flag, which a run in the legacy state may leave. */
async function outcomesOn(database: Database): Promise<string[]> {
  return (await runEachJob(database, { isManual: true })).map(({ outcome }) => outcome);
}

async function expectExact({ query }: TestDatabase): Promise<void> {
  expect(await wrongFigures(query, 'public.')).toEqual([]);
  expect(await wrongRollups(query)).toEqual([]);
}

test('the traps of a hostile schema work, and are counted despite a rollback', async () => {
  const { target, owner } = await createLegacyOwnedDatabase();
  await createHostileSchema(target, [owner.role]);
  const client = await owner.session();
  const traps = ['now()', '1 = 1', 'clock_timestamp()', 'max(1::bigint)', '1 + 1'];
  for (const trap of traps) {
    await expect(client.query(`select ${trap}`)).rejects.toMatchObject({ message: 'hostile' });
  }
  expect(await countSprung(target)).toBe(traps.length);
});

test('migrate and the legacy refresh ignore a hostile schema on the search_path', async () => {
  const { target, owner } = await createLegacyOwnedDatabase();
  await createHostileSchema(target, [owner.role]);
  const database = owner.reopen();

  expect(await outcomesOn(database)).toEqual(['refreshed', 'refreshed', 'refreshed']);
  expect(await wrongFigures(target.query, 'public.')).toEqual([]);
  await migrateAs({ database });
  await target.query(writeOfEachTable);
  expect(await outcomesOn(database)).toEqual(['refreshed', 'refreshed', 'skipped']);
  expect((await verify(database)).differences).toEqual([]);
  await expectExact(target);
  expect(await countSprung(target)).toBe(0);
});

test('the scripts for psql ignore it too', async () => {
  const { target, owner } = await createLegacyOwnedDatabase();
  await createHostileSchema(target, [owner.role]);
  const files = await readSqlFiles();
  const database = owner.reopen();
  const plan = await readPlan((text, values) => database.read(text, values), files);
  const client = await owner.session();
  const role = `${target.name}_daemon`;
  await target.query(`create role ${role}`);

  expect(await runScript(client, await printPending(plan, files))).toEqual([]);
  expect(await runScript(await owner.session(), await rolesScript(role))).toEqual([]);
  await target.query(writeOfEachTable);
  await outcomesOn(database);
  await expectExact(target);
  expect(await countSprung(target)).toBe(0);
  await target.query(`drop owned by ${role}; drop role ${role}`);
});

test('our functions ignore the traps of a hostile session', async () => {
  const { target, owner, daemon } = await createOwnedDatabase();
  await createHostileSchema(target, [owner.role, daemon.role]);
  await target.query(writeOfEachTable);
  const shadows = await target.query<{ name: string }>(
    `select distinct quote_ident(relname) as name from pg_class
    where relkind in ('r', 'v', 'm')
      and relnamespace in (
        'public'::regnamespace, 'registry_stats'::regnamespace, 'pg_catalog'::regnamespace
      )`,
  );
  for (const login of [daemon, owner]) {
    const client = await login.session();
    for (const { name } of shadows) await client.query(`create temporary table ${name} (id int)`);
    await client.query('set search_path = pg_temp, hostile, pg_catalog');
    for (const setting of hostileSettings) await client.query(`set ${setting}`);
    for (const job of jobNames) {
      await client.query(
        `select registry_stats.run_recorded(begun.id)
        from registry_stats.begin_run($1, 'schedule') as begun (id)
        where begun.id is not null`,
        [job],
      );
    }
    for (const call of [
      'registry_stats.check_sources()',
      `registry_stats.fingerprints()`,
      `registry_stats.differences('generic_files')`,
      `registry_stats.attach_capture('work_items')`,
    ]) {
      await client.query(`select ${call}`);
    }
    await client.query('begin isolation level repeatable read');
    await client.query(`select registry_stats.rebuild('generic_files')`);
    await client.query('commit');
  }
  const registry = await owner.session();
  await registry.query(
    `select public.update_counts(), public.update_current_deposit_stats(),
      public.populate_all_historical_deposit_stats()`,
  );

  await expectExact(target);
  expect(await countSprung(target)).toBe(0);
});

/** Settings that a role may set for itself and that could change the meaning of a statement. */
const hostileSettings = [
  `timezone = 'Pacific/Kiritimati'`,
  `datestyle = 'sql, dmy'`,
  `intervalstyle = 'sql_standard'`,
  'transform_null_equals = on',
  'array_nulls = off',
  'quote_all_identifiers = on',
  'extra_float_digits = -15',
  `bytea_output = 'escape'`,
  'row_security = off',
];

test('a daemon with a hostile search_path runs, reports and verifies as usual', async () => {
  const { target, daemon } = await createOwnedDatabase();
  await createHostileSchema(target, [daemon.role]);
  await target.query(writeOfEachTable);
  await target.query('alter table public.work_items disable trigger registry_stats_update');

  const database = daemon.reopen();
  expect(await outcomesOn(database)).toEqual(['refreshed', 'refreshed', 'refreshed']);
  expect((await verify(database)).differences).toEqual([]);
  // The contents of status, page and metrics.
  await preflight(database);
  expect(await readFreshness(database)).toHaveLength(6);
  expect(await readStatistics(database)).toMatchObject({ pendingChanges: 0, inexact: [] });
  expect(await readStatistics(database)).toMatchObject({ mode: 'incremental' });
  const { runs } = await readRuns(database, { limit: 10, outcome: 'refreshed' });
  expect(runs.length).toBeGreaterThan(2);
  const { counts, deposits } = await readFigures(database);
  expect(Math.min(counts.length, deposits.byInstitution.length)).toBeGreaterThan(2);
  await expectExact(target);
  expect(await countSprung(target)).toBe(0);
});

const asOperator = async ({ database, session }: Login): Promise<void> => {
  const files = await readSqlFiles();
  const plan = await readPlan((text, values) => database.read(text, values), files);
  expect(await runScript(await session(), await printPending(plan, files))).toEqual([]);
};

test.each([
  ['migrate', migrateAs],
  ['the script for psql', asOperator],
])(
  'default privileges of the owner grant no rights on objects created by %s',
  async (_, bringUp) => {
    const { target, owner } = await createLegacyOwnedDatabase();
    const mallory = await createLogin(target, 'mallory');
    const client = await owner.session();
    for (const kind of ['tables', 'sequences', 'functions', 'schemas']) {
      for (const grantee of [mallory.role, 'public']) {
        await client.query(`alter default privileges grant all on ${kind} to ${grantee}`);
      }
    }
    const grants = (): Promise<unknown[]> =>
      target.query(
        `select object.name, acl.grantee::regrole::text, acl.privilege_type
      from (
        select nspname as name, nspacl as acl, oid as namespace from pg_namespace
        union all
        select oid::regclass::text, relacl, relnamespace from pg_class
        union all
        select oid::regprocedure::text, proacl, pronamespace from pg_proc
      ) as object
      cross join lateral aclexplode(object.acl) as acl
      where object.namespace in (
          select oid from pg_namespace where nspname in ('public', 'registry_stats')
        )
        and acl.grantee <> $1::regrole
        and not (object.name = 'public')
      order by 1, 2, 3`,
        [owner.role],
      );
    const before = await grants();
    await bringUp(owner);

    expect(await grants()).toEqual(before);
    expect(before).toEqual([]);
  },
);
