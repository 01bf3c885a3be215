import { expect, test } from 'vitest';
import { jobs } from '../../src/jobs/job.js';
import { readStatistics } from '../../src/status/read-statistics.js';
import { sources } from '../../src/statistics/installation.js';
import { wrongFigures } from '../exactness/truth.js';
import { expectTruth, writeOfEachTable } from '../exactness/two-sessions.js';
import { runEachJob } from '../support/run-each-job.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer, type OwnServer } from './support/own-server.js';
import { startStandby } from './support/standby.js';

// An unlogged table loses all rows in a crash, without a trigger.

/** Makes all captured tables unlogged. Logged tables must not refer to them. */
async function unlog({ query }: TestDatabase): Promise<void> {
  const referring = await query<{ statement: string }>(
    `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as statement
    from pg_constraint
    join registry_stats.source on confrelid = to_regclass('public.' || source.name)
    where contype = 'f'`,
  );
  for (const { statement } of referring) await query(statement);
  for (const source of sources) await query(`alter table public.${source} set unlogged`);
}

async function crash(server: OwnServer): Promise<void> {
  await server.stop('immediate');
  await server.start();
}

const moments: Record<string, (target: TestDatabase) => Promise<void>> = {
  'figures were up to date': async ({ database }) => {
    await runEachJob(database);
  },
  'changes were pending': async ({ database, query }) => {
    await runEachJob(database);
    await query(writeOfEachTable);
  },
  'no run had come by since': () => Promise.resolve(),
};

for (const [moment, prepare] of Object.entries(moments)) {
  test(`a crash empties unlogged captured tables while ${moment}: they are untrusted`, async () => {
    const server = await startOwnServer();
    const { target } = server;
    await runEachJob(target.database);
    await unlog(target);
    await prepare(target);
    await crash(server);
    expect(await target.query('select from public.work_items')).toEqual([]);
    expect(await wrongFigures(target.query, 'public.')).not.toEqual([]);

    const named = (await readStatistics(target.database)).inexact.map(({ name }) => name);
    expect(named).toEqual([...sources].sort());
    for (const { name } of jobs.slice(0, 2)) {
      expect(
        await target.query(`select registry_stats.jobs_with_work(array['${name}']) <> '{}' as has`),
      ).toEqual([{ has: true }]);
      // Registry's own calls repair nothing and report it.
      await target.query(`select public.${name}()`);
      const [last] = await target.query<{ reason: string | null }>(
        'select reason from registry_stats.run where job = $1 order by id desc limit 1',
        [name],
      );
      expect(last?.reason).toContain('generic_files: ');
    }

    const outcomes = await runEachJob(target.database);
    expect(outcomes.map(({ outcome }) => outcome)).not.toContain('failed');
    await expectTruth(target);
    await target.query(
      `insert into public.work_items (name, action, institution_id, created_at, updated_at)
      select 'new', 'Ingest', min(id), now(), now() from public.institutions`,
    );
    await runEachJob(target.database);
    await expectTruth(target);

    // The row that reveals a crash exists for the next one, too.
    await crash(server);
    expect((await readStatistics(target.database)).inexact.map(({ name }) => name)).toEqual(named);
    await runEachJob(target.database);
    await expectTruth(target);
  });
}

test('a standby shows the state of the statistics, also with an unlogged table', async () => {
  const server = await startOwnServer();
  await runEachJob(server.target.database);
  const standby = await startStandby(server);
  await standby.caughtUp();
  const state = async (on: TestDatabase): Promise<unknown> =>
    (await readStatistics({ read: (text, values) => on.query(text, values) })).inexact;
  expect(await state(server.target)).toEqual([]);
  expect(await state(standby.target)).toEqual([]);
  for (const source of sources) {
    expect(
      await standby.target.query('select * from registry_stats.differences($1)', [source]),
    ).toEqual([]);
  }
  for (const { name } of jobs) {
    expect(
      await standby.target.query(`select registry_stats.jobs_with_work(array[$1]) <> '{}' as has`, [
        name,
      ]),
    ).toEqual([{ has: false }]);
  }

  // A standby cannot read unlogged rows, so it reports nothing about them.
  await unlog(server.target);
  await runEachJob(server.target.database);
  await standby.caughtUp();
  expect(await state(server.target)).toEqual([]);
  expect(await state(standby.target)).toHaveLength(sources.length);
});
