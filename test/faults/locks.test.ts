import type pg from 'pg';
import { expect, test } from 'vitest';
import { jobs, titleOf } from '../../src/jobs/job.js';
import { ownDifferences, viewNames, wrongFigures, wrongRollups } from '../exactness/truth.js';
import { queryOn } from '../exactness/workers.js';
import type { Program } from '../support/program.js';
import { messages, runsOf, untilRuns } from '../support/runs.js';
import { eventually } from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, makeWork, startSceneDaemon } from './support/scene.js';

/** An operator refreshes a view by hand in an open transaction. */
const holders = [
  { mode: 'exclusive', statement: 'refresh materialized view concurrently' },
  { mode: 'access exclusive', statement: 'refresh materialized view' },
] as const;

for (const view of viewNames) {
  for (const { mode, statement } of holders) {
    test(`while another session locks ${view} (${mode}), writers and the other job continue`, async () => {
      const target = await databaseWithWork();
      const holder = await target.session();
      await holder.query(`begin; ${statement} public.${view}`);
      const settings = { LOCK_TIMEOUT: '500ms', RETRY_ATTEMPTS: '0' };
      const daemon = await startSceneDaemon(target, settings);
      const blocked = jobs.find(({ views }) => views.includes(view))?.name ?? '';
      const line = await daemon.untilLine(`${titleOf(blocked).toLowerCase()} failed: `);
      const lock = mode === 'exclusive' ? 'ExclusiveLock' : 'AccessExclusiveLock';
      const refusal = `could not lock public\\.${view} \\(55P03\\); detail: .* holds [\\w, ]*\\b${lock}`;
      expect(line.reason).toMatch(new RegExp(`^registry_stats: ${refusal}`));
      await untilWaiting(target, view);
      await makeWork(target);
      await daemon.until('the other job', () =>
        daemon.lines.some(
          ({ job, outcome }) =>
            job !== blocked && job?.startsWith('update') && outcome === 'refreshed',
        ),
      );
      await holder.query('commit');

      const failures = (): number =>
        daemon.lines.filter(({ outcome }) => outcome === 'failed').length;
      await expectRecovered(target, daemon, { times: Number.POSITIVE_INFINITY });
      expect(messages(daemon, 'error')).toHaveLength(failures());
    });
  }

  test(`while a long transaction reads ${view}, all jobs continue`, async () => {
    const target = await databaseWithWork();
    const reader = await target.session();
    await reader.query(`begin; select count(*) from public.${view}`);
    const daemon = await startSceneDaemon(target);

    await expectRecovered(target, daemon);
    await reader.query('commit');
  });
}

async function untilWaiting({ query }: TestDatabase, view: string): Promise<void> {
  await eventually('a run that waits', async () => {
    const waiting = await query(
      'select from pg_locks where relation = $1::regclass and not granted',
      [`public.${view}`],
    );
    return waiting.length > 0;
  });
}

const rounds = 15;

test('a long transaction only delays the vacuum of the deltas', async () => {
  const target = await databaseWithWork();
  const daemon = await startSceneDaemon(target);
  await untilRuns(daemon, 'start');
  const reader = await target.session();
  await reader.query('begin isolation level repeatable read');
  const before = await shownTo(reader);
  const writer = await target.session();
  await writer.query('begin');
  await makeWork({ query: queryOn(writer) });

  const duringIt = await playRounds(target, daemon);
  expect(await shownTo(reader)).toEqual(before);
  await reader.query('commit');
  await writer.query('commit');
  const afterIt = await playRounds(target, daemon);
  const sizes = `${duringIt / 1024} kB of deltas during it, ${afterIt / 1024} kB after it`;
  process.stdout.write(`${sizes}\n`);
  expect(duringIt, sizes).toBeGreaterThan(4 * afterIt);

  await expectRecovered(target, daemon);
  const [folded] = await target.query<{ folded: string; added: string }>(
    `select
      (select sum(rows_folded) from registry_stats.run) as folded,
      (select last_value from registry_stats.delta_id_seq) as added`,
  );
  expect(folded?.folded).toBe(folded?.added);
});

/**
 * Makes many changes, with a run and a vacuum after each; returns the largest size of the deltas.
 */
async function playRounds(target: TestDatabase, daemon: Program): Promise<number> {
  const { query } = target;
  const done = (): number => runsOf(daemon.lines, 'signal').length;
  let largest = 0;
  for (let round = 1; round <= rounds; round++) {
    await query(manyFiles);
    const before = done();
    daemon.kill('SIGUSR2');
    await daemon.until('the next run', () => done() >= before + jobs.length);
    expect(await ownDifferences(query)).toEqual([]);
    expect(await wrongFigures(query, 'public.')).toEqual([]);
    expect(await wrongRollups(query)).toEqual([]);
    await query('vacuum registry_stats.delta');
    const [table] = await query<{ size: string }>(
      `select pg_relation_size('registry_stats.delta') as size`,
    );
    largest = Math.max(largest, Number(table?.size));
  }
  return largest;
}

/** One change for each of many objects. */
const manyFiles = `
  insert into public.generic_files
    (identifier, uuid, size, state, institution_id, intellectual_object_id, created_at, updated_at)
  select name, name, 1, 'A', 2, 100 + n, now(), now()
  from (select n, gen_random_uuid()::text as name from generate_series(1, 300) as n) as file`;

async function shownTo(client: pg.Client): Promise<unknown[]> {
  const shown: unknown[] = [];
  for (const view of viewNames) {
    shown.push((await client.query(`select * from public.${view} order by 1, 2, 3, 4`)).rows);
  }
  return shown;
}
