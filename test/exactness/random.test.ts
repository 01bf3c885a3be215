import { expect, test } from 'vitest';
import { createLiveDatabase } from '../support/live-state.js';
import { migrateAs, type Login } from '../support/owned-database.js';
import { runEachJob } from '../support/run-each-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { declareChecksums, writeChecksums } from './fifth-count.js';
import { prepareRows } from './prepare-rows.js';
import { RandomNumbers } from './random-numbers.js';
import { actAsRegistrysPeople } from './registrys-people.js';
import { Scene } from './scene.js';
import {
  ownDifferences,
  wrongChecksums,
  wrongFigures,
  wrongHistory,
  wrongRollups,
} from './truth.js';
import {
  changeNames,
  checkQuietMoments,
  checkSnapshots,
  rebuildTables,
  runJobs,
  terminateBackends,
} from './workers.js';
import { Writer, type Prepared } from './writer.js';

/**
 * The same SEED and number of writers lead to the same transactions. The server decides their
 * timing.
 */
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const transactions = Number(process.env['TRANSACTIONS'] ?? 1_500);
const writers = 5;

/** `people` is the owner, if operators change the objects by hand during the test. */
interface Played {
  readonly target: TestDatabase;
  readonly people?: Login;
}

const states = {
  'our own state': async (): Promise<Played> => ({ target: await createTestDatabase() }),
  'the live state, changed by hand meanwhile': createMigratedLiveDatabase,
};

test.each(Object.entries(states))(
  `figures match the tables while ${String(writers)} sessions write: %s (SEED=${String(seed)})`,
  { timeout: 60_000 + transactions * 300 },
  async (_, create) => {
    const { target, people } = await create();
    await prepareRows(target);
    const scene = new Scene();
    const startedAt = performance.now();

    await playScene(target, scene, people);
    await endPreparedTransactions(target);
    // The daemon only reports these: functions that others replaced.
    if (people !== undefined) await migrateAs(people);
    // Registry's own function, put back by its people, writes the totals of a month twice if there
    // are files of an institution that does not exist.
    const twice = people === undefined ? await monthsInsertedTwice(target) : [];
    const wrong = scene.problems.length > 0 ? [] : [...twice, ...(await finalDifferences(target))];
    if (people !== undefined && scene.problems.length === 0) {
      wrong.push(...(await wrongChecksums(target.query, 'public.')));
      wrong.push(...(await wrongChecksums(target.query, 'registry_stats.live_')));
    }

    report(scene, performance.now() - startedAt);
    expect(scene.problems, `SEED=${String(seed)}`).toEqual([]);
    expect(wrong, `SEED=${String(seed)}`).toEqual([]);
    // Only a refresh by others can come between a verdict and its check.
    if (people === undefined) expect(scene.counts['verdicts overtaken']).toBeUndefined();
    for (const check of ['unchanged verdicts checked', 'snapshots checked']) {
      expect(
        scene.counts[check],
        `${check}: none, so few TRANSACTIONS prove nothing`,
      ).toBeDefined();
    }
  },
);

async function createMigratedLiveDatabase(): Promise<Played> {
  const { target, owner } = await createLiveDatabase({ data: 'none' });
  await migrateAs(owner);
  await declareChecksums(owner);
  return { target, people: owner };
}

async function playScene(
  target: TestDatabase,
  scene: Scene,
  people: Played['people'],
): Promise<void> {
  const [setting] = await target.query<{ most: string }>(
    `select current_setting('max_prepared_transactions') as most`,
  );
  const hasPreparedTransactions = Number(setting?.most) > 0;
  const prepared: Prepared[] = [];
  let begun = 0;
  const write = async (number: number): Promise<void> => {
    const options = { seed, number, hasPreparedTransactions, prepared };
    const writer = new Writer(target, scene, options);
    for (let index = 0; begun < transactions && !scene.isOver; index++) {
      begun++;
      await writer.transact(index);
    }
  };
  const worker = (stream: number) => ({
    target,
    scene,
    random: new RandomNumbers(seed, 1_000 + stream),
  });
  const others = [
    runJobs(worker(1)),
    runJobs(worker(2)),
    rebuildTables(worker(3)),
    changeNames(worker(4)),
    checkSnapshots(worker(5)),
    checkQuietMoments(worker(6)),
    terminateBackends(worker(7)),
    ...(people === undefined
      ? []
      : [
          writeChecksums(worker(9)),
          actAsRegistrysPeople(
            { ...worker(8), target: { ...target, session: () => people.session() } },
            () => migrateAs(people),
          ),
        ]),
  ].map((work) =>
    work.catch((error: unknown) => {
      scene.problem(error);
    }),
  );
  await Promise.all(Array.from({ length: writers }, (_, number) => write(number)));
  scene.finish();
  await Promise.all(others);
}

/** Ends all prepared transactions, also those of terminated sessions. */
async function endPreparedTransactions({ query }: TestDatabase): Promise<void> {
  const left = await query<{ gid: string }>(
    'select gid from pg_prepared_xacts where database = current_database() order by gid',
  );
  for (const [index, { gid }] of left.entries()) {
    await query(`${index % 2 === 0 ? 'commit' : 'rollback'} prepared '${gid}'`);
  }
}

/** Compares views, live views, rollups, totals and history with the tables after a last run. */
async function finalDifferences(target: TestDatabase): Promise<unknown[]> {
  const { database, query } = target;
  await runEachJob(database);
  const history = await differentHistory(target);
  const pending = await query('select * from registry_stats.delta');
  const work = await query(
    `select name from registry_stats.job where registry_stats.jobs_with_work(array[name]) <> '{}'`,
  );
  return [
    ...(await wrongFigures(query, 'public.')),
    ...(await wrongFigures(query, 'registry_stats.live_')),
    ...(await wrongRollups(query)),
    ...(await ownDifferences(query)),
    ...history,
    ...pending,
    ...work,
  ];
}

/** Compares the history with what migration 001 inserts. */
async function differentHistory({ query }: TestDatabase): Promise<unknown[]> {
  await query('truncate public.historical_deposit_stats');
  await query('select public.populate_all_historical_deposit_stats()');
  return wrongHistory(query);
}

function monthsInsertedTwice({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select 'twice' as what, end_date, institution_id, storage_option
    from public.historical_deposit_stats
    group by end_date, institution_id, storage_option
    having count(*) > 1`,
  );
}

function report(scene: Scene, durationMs: number): void {
  const lines = Object.entries({ ...scene.counts, ...prefixed(scene.failures) })
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([what, count]) => `  ${what}: ${String(count)}\n`);
  process.stdout.write(
    `SEED=${String(seed)} TRANSACTIONS=${String(transactions)}: ${(durationMs / 1000).toFixed(1)} s\n` +
      lines.join(''),
  );
}

function prefixed(failures: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(failures).map(([code, count]) => [`failed transactions: ${code}`, count]),
  );
}
