import type pg from 'pg';
import type { Query } from '../../src/db/transaction.js';
import { jobNamed, jobs, type Job } from '../../src/jobs/job.js';
import { beginRound } from '../../src/jobs/outcome.js';
import { refresh } from '../../src/statistics/refresh.js';
import { sources } from '../../src/statistics/installation.js';
import type { TestDatabase } from '../support/test-database.js';
import type { RandomNumbers } from './random-numbers.js';
import type { Scene } from './scene.js';
import { expectedFailure, Session } from './session.js';
import {
  keepTruncateAway,
  ownDifferences,
  sourceOf,
  trustedSources,
  type View,
  viewNames,
  viewsOf,
  wrongChecksums,
  wrongFigures,
  wrongHistory,
  wrongRecentDeposits,
  wrongShown,
} from './truth.js';

export interface WorkerOptions {
  readonly target: TestDatabase;
  readonly scene: Scene;
  readonly random: RandomNumbers;
}

const viewJobs = jobs.filter(({ views }) => views.length > 0);
const history = jobNamed('populate_all_historical_deposit_stats');
const options = { statementTimeoutMs: 30_000, lockTimeoutMs: 2_000 };
export const queryOn =
  (client: pg.ClientBase): Query =>
  async <Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
    (await client.query<Row>(text, values)).rows;

/** Folds and refreshes in every possible way while the writers run. */
export async function runJobs(worker: WorkerOptions): Promise<void> {
  const { target, scene, random } = worker;
  const session = new Session(target, 'exactness worker');
  while (!scene.isOver) {
    await runOnce(worker, session);
    scene.signal('run');
    await scene.nextRun(random.int(1, 3));
  }
}

async function runOnce({ target, scene, random }: WorkerOptions, session: Session): Promise<void> {
  const job = random.pick(viewJobs);
  const way = random.weighted({
    snapshot: 30,
    committed: 25,
    record: 10,
    public: 15,
    daemon: 15,
    history: 5,
  });
  await attempt(scene, async () => {
    switch (way) {
      case 'snapshot':
        return session.use((client) => runInSnapshot(client, scene, job, random));
      case 'committed':
        return session.use((client) => runInReadCommitted(client, scene, job));
      case 'record':
        return session.use((client) => beginInSnapshot(client, scene, job));
      case 'public':
        return session.use((client) => callPublic(client, scene, job));
      case 'daemon':
        return runAsDaemon(target, scene, job);
      case 'history':
        return session.use((client) => turnMonths(client, scene));
    }
  });
}

/** Removes the last months and inserts them again, as when a month begins. */
async function turnMonths(client: pg.Client, scene: Scene): Promise<void> {
  const wasReplaced = await isReplaced(client, history);
  await client.query('begin isolation level repeatable read');
  await client.query(keepTruncateAway);
  const since = `date_trunc('month', now() at time zone 'utc' - interval '1 month')::date`;
  await client.query(`delete from public.historical_deposit_stats where end_date >= ${since}`);
  await client.query(`select public.${history.name}()`);
  const { rows } = await client.query(
    `select from public.historical_deposit_stats where end_date >= ${since}`,
  );
  // No row: another run is active.
  const wrong = rows.length === 0 ? [] : await wrongHistory(queryOn(client), since);
  await client.query('commit');
  // Registry's own function groups by name.
  if (rows.length === 0 || wasReplaced || (await isReplaced(client, history))) return;
  if (wrong.length > 0) scene.problem({ check: 'months', wrong: wrong.slice(0, 5) });
  scene.count('months turned');
}

/** In one snapshot the verdict can be compared with the tables. */
async function runInSnapshot(
  client: pg.Client,
  scene: Scene,
  job: Job,
  random: RandomNumbers,
): Promise<void> {
  const isolation = random.pick(['repeatable read', 'serializable']);
  await client.query(`begin isolation level ${isolation}`);
  await client.query(keepTruncateAway);
  const { rows } = await mustNotMissAView(scene, () => client.query<Verdict>(callRun, [job.name]));
  if (rows[0]?.reason === 'unchanged') {
    await expectTruth(queryOn(client), scene, job, `run(${job.name}) in ${isolation}`);
  }
  await client.query('commit');
  note(scene, rows[0]);
}

/**
 * Read committed has no single snapshot. But until the end of the transaction no other session can
 * fold or refresh. So the views must match the truth without pending changes.
 */
async function runInReadCommitted(client: pg.Client, scene: Scene, job: Job): Promise<void> {
  await client.query('begin');
  const { rows } = await mustNotMissAView(scene, () => client.query<Verdict>(callRun, [job.name]));
  if (rows[0]?.reason === 'unchanged') {
    await expectShown(client, scene, job, `run(${job.name}) in read committed`);
  }
  await client.query('commit');
  note(scene, rows[0]);
}

async function beginInSnapshot(client: pg.Client, scene: Scene, job: Job): Promise<void> {
  await client.query('begin isolation level repeatable read');
  await client.query(keepTruncateAway);
  const { rows } = await client.query<{ id: string | null }>(
    'select registry_stats.begin_run($1, $2) as id',
    [job.name, 'command'],
  );
  const id = rows[0]?.id ?? null;
  if (id === null) await expectTruth(queryOn(client), scene, job, `begin_run(${job.name})`);
  else await client.query(`select registry_stats.finish_run($1, 'cancelled', 'only tried')`, [id]);
  await client.query('commit');
}

/**
 * Calls Registry's function. 0 may also mean busy: the views must be correct anyway. A function
 * body replaced by others may fail.
 */
async function callPublic(client: pg.Client, scene: Scene, job: Job): Promise<void> {
  const call = async () =>
    client.query<{ result: number }>(`select public.${job.name}() as result`);
  const { rows } = (await isReplaced(client, job))
    ? await call()
    : await call().catch(async (error: unknown) => {
        if (goneMeanwhile(error) !== undefined && !(await isReplaced(client, job))) {
          scene.problem(error);
        }
        throw error;
      });
  scene.count(`public function: ${String(rows[0]?.result)}`);
  if (rows[0]?.result === 0) await checkShownLater(client, scene, job, `public.${job.name}() = 0`);
}

async function isReplaced(client: pg.Client, job: Job): Promise<boolean> {
  const { rows } = await client.query(
    'select from registry_stats.replaced_functions() as replaced where replaced.job = $1',
    [job.name],
  );
  return rows.length > 0;
}

async function runAsDaemon(target: TestDatabase, scene: Scene, job: Job): Promise<void> {
  // A prepared transaction may hold a lock that the run waits for, until writers continue; and
  // these may wait for a run.
  const signal = AbortSignal.timeout(3_000);
  const outcome = await mustNotMissAView(scene, () =>
    refresh(
      target.database,
      job,
      beginRound({ trigger: 'schedule', jobs: [job.name], isManual: false }),
      { ...options, signal },
    ),
  );
  scene.count(`daemon: ${outcome.outcome}`);
  if (outcome.outcome === 'refreshed' && outcome.detail.includes('rebuilt')) scene.count('healed');
  if (outcome.outcome !== 'skipped' || outcome.reason !== 'unchanged') return;
  const client = await target.session();
  try {
    // In a quiet moment a prepared transaction stays undecided and may hold a lock.
    await client.query(`set lock_timeout = '400ms'`);
    await checkShownLater(client, scene, job, `daemon's ${job.name}`);
  } finally {
    await client.end();
  }
}

/** Checks like runInReadCommitted, after the verdict's transaction has ended. */
async function checkShownLater(
  client: pg.Client,
  scene: Scene,
  job: Job,
  verdict: string,
): Promise<void> {
  await client.query('begin');
  const { rows } = await client.query<{ taken: boolean }>(
    'select registry_stats.try_lock() as taken',
  );
  // Another run is active and responsible for the views now.
  if (rows[0]?.taken === true) await expectShown(client, scene, job, verdict);
  await client.query('commit');
}

/** Holds the lock. Figures of trusted tables must match the truth without pending changes. */
async function expectShown(
  client: pg.Client,
  scene: Scene,
  job: Job,
  verdict: string,
): Promise<void> {
  const query = queryOn(client);
  await client.query(keepTruncateAway);
  for (const view of viewsOf(job.name)) await query(`select from public.${view} limit 0`);
  const before = await exactViews(query, job);
  const wrong = await wrongShown(query, before);
  // A concurrent refresh by others waits for no reader and may have come in between.
  const after = await exactViews(query, job);
  const isStillExact = before.every((view) => after.includes(view));
  if (isStillExact && wrong.length > 0) scene.problem({ verdict, wrong: wrong.slice(0, 5) });
  if (isStillExact && before.length > 0) scene.count('unchanged verdicts checked');
}

/** Returns the job's views that must be correct: of trusted tables, not replaced, not due. */
async function exactViews(query: Query, job: Job): Promise<View[]> {
  const [shown] = await query<{ names: string[] }>(
    `select array(
      select look.name
      from registry_stats.look_at_views() as look
      where look.state = 'ok'
        and look.name <> all (coalesce(registry_stats.due_views($1), '{}'))
    ) as names`,
    [job.name],
  );
  const trusted = await trustedSources(query);
  return viewsOf(job.name).filter(
    (view) => trusted.includes(sourceOf(view)) && shown?.names.includes(view),
  );
}

async function expectTruth(query: Query, scene: Scene, job: Job, verdict: string): Promise<void> {
  // Once read, the rows cannot be replaced until the end of the transaction. An earlier change is
  // not in the snapshot's record, so the verdict differs.
  const views = viewsOf(job.name);
  for (const view of views) await query(`select from public.${view} limit 0`);
  const due = await query<{ has: boolean }>(
    `select registry_stats.jobs_with_work(array[$1]) <> '{}' as has`,
    [job.name],
  );
  if (due[0]?.has === true) {
    scene.count('verdicts overtaken');
    return;
  }
  const wrong = await wrongFigures(query, 'public.', views);
  if (wrong.length > 0) scene.problem({ verdict, wrong: wrong.slice(0, 5) });
  scene.count('unchanged verdicts checked');
}

interface Verdict {
  outcome: string;
  reason: string | null;
  rows_folded: string;
}

const callRun = 'select outcome, reason, rows_folded from registry_stats.run($1)';

function note(scene: Scene, verdict: Verdict | undefined): void {
  scene.count(`run: ${verdict?.reason ?? verdict?.outcome ?? ''}`);
  if (Number(verdict?.rows_folded) > 0) scene.count('folds');
}

/** Rebuilds tables at random, also trusted ones. */
export async function rebuildTables({ target, scene, random }: WorkerOptions): Promise<void> {
  const session = new Session(target, 'exactness worker');
  for (;;) {
    await scene.next('progress', random.int(10, 40));
    if (scene.isOver) return;
    const isolation = random.weighted({
      'repeatable read': 70,
      serializable: 15,
      'read committed': 15,
    });
    await attempt(scene, () =>
      session.use(async (client) => {
        await client.query(`begin isolation level ${isolation}`);
        await client.query(`set local lock_timeout = '300ms'`);
        await client.query('select registry_stats.rebuild($1)', [random.pick(sources)]);
        await client.query('commit');
        scene.count(`rebuilds, ${isolation}`);
      }),
    );
  }
}

/** Changes names, parents and prices, which are compared, not captured. */
export async function changeNames({ target, scene, random }: WorkerOptions): Promise<void> {
  const session = new Session(target, 'exactness worker');
  for (;;) {
    await scene.next('progress', random.int(5, 25));
    if (scene.isOver) return;
    const id = String(random.pick([1, 2, 3, 4, 7]));
    const statement = random.pick([
      `update public.institutions set name = 'Name ${String(random.int(1, 3))}' where id = ${id}`,
      `update public.institutions set member_institution_id = nullif(${String(random.int(0, 3))}, 0)
        where id = ${id}`,
      `update public.storage_options set cost_gb_per_month = ${random.next().toFixed(5)}
        where name = '${random.pick(['Standard', 'Glacier-VA'])}'`,
      `delete from public.institutions where id = 999`,
      `insert into public.institutions (id, name, identifier, created_at, updated_at,
          receiving_bucket, restore_bucket)
        values (999, 'Found', 'found.edu', now(), now(), 'r999', 's999') on conflict do nothing`,
    ]);
    await attempt(scene, () =>
      session.use(async (client) => {
        await client.query(statement);
        scene.count('name and price changes');
      }),
    );
  }
}

/**
 * Checks at random times, in one snapshot: live views match the tables, and verify finds nothing.
 */
export async function checkSnapshots({ target, scene, random }: WorkerOptions): Promise<void> {
  const session = new Session(target, 'exactness check');
  for (;;) {
    await scene.next('progress', random.int(8, 20));
    if (scene.isOver) return;
    await attempt(scene, () => session.use((client) => checkSnapshot(client, scene)));
  }
}

export async function checkSnapshot(client: pg.Client, scene: Scene): Promise<void> {
  await client.query('begin isolation level repeatable read read only');
  await client.query(keepTruncateAway);
  const query = queryOn(client);
  const trusted = await trustedSources(query);
  const views = viewNames.filter((view) => trusted.includes(sourceOf(view)));
  const wrong = [
    ...(await wrongFigures(query, 'registry_stats.live_', views)),
    ...(await ownDifferences(query, trusted)).filter(isOfRollups),
    ...(await wrongRecentDeposits(query)),
    ...((trusted as string[]).includes('checksums')
      ? await wrongChecksums(query, 'registry_stats.live_')
      : []),
  ];
  if (wrong.length > 0) scene.problem({ check: 'snapshot', wrong: wrong.slice(0, 5) });
  for (const job of viewJobs) {
    const [row] = await query<{ has: boolean }>(
      `select registry_stats.jobs_with_work(array[$1]) <> '{}' as has`,
      [job.name],
    );
    if (row?.has === false) await expectTruth(query, scene, job, `jobs_with_work(${job.name})`);
  }
  await client.query('commit');
  scene.count('snapshots checked');
  scene.count('tables trusted in them', trusted.length);
}

/** Ignores views changed by others, which verify reports correctly. */
function isOfRollups(difference: unknown): boolean {
  return /rollup|total/.test((difference as { view: string }).view);
}

/** Checks that jobs report "unchanged" while no writer is in a transaction. */
export async function checkQuietMoments(worker: WorkerOptions): Promise<void> {
  const { target, scene, random } = worker;
  const session = new Session(target, 'exactness check');
  for (;;) {
    await scene.next('progress', random.int(40, 80));
    if (scene.isOver) return;
    await scene.quiet(async () => {
      for (const job of viewJobs) await attempt(scene, () => runAsDaemon(target, scene, job));
      for (let run = 0; run < 8; run++) await runOnce(worker, session);
      await attempt(scene, () => session.use((client) => checkSnapshot(client, scene)));
    });
    scene.count('quiet moments');
  }
}

/** Terminates backends at random. */
export async function terminateBackends({ target, scene, random }: WorkerOptions): Promise<void> {
  const session = new Session(target, 'exactness terminator');
  for (;;) {
    await scene.next('progress', random.int(4, 16));
    if (scene.isOver) return;
    const isWorker = random.chance(0.6);
    await session.use(async (client) => {
      const { rows } = await client.query<{ application_name: string }>(
        `select application_name, pg_terminate_backend(pid)
        from (
          select pid, application_name
          from pg_stat_activity
          where datname = current_database()
            and application_name in ('exactness writer', 'exactness worker', 'registry-stats')
            and state <> 'idle'
          order by (application_name = 'exactness writer') = $1, md5(pid::text || $2)
          limit 1
        ) as victim`,
        [isWorker, String(random.next())],
      );
      for (const { application_name } of rows) scene.count(`terminated: ${application_name}`);
    });
  }
}

/** Returns the name of an error of our own check: its view was emptied or dropped. */
function goneMeanwhile(error: unknown): string | undefined {
  const { code = '' } = error as { code?: string };
  return ['42P01', '55000', 'XX000'].includes(code) ? code : undefined;
}

/** Fails if a statement of the product fails because a view was emptied or dropped. */
async function mustNotMissAView<Result>(
  scene: Scene,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (goneMeanwhile(error) !== undefined) scene.problem(error);
    throw error;
  }
}

/** Counts expected concurrency errors; any other error ends the run. */
export async function attempt(scene: Scene, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isGivenUp = (error as { name?: string }).name === 'TimeoutError';
    const code = isGivenUp ? 'given up' : (expectedFailure(error) ?? goneMeanwhile(error));
    if (code === undefined) scene.problem(error);
    else scene.fail(code);
  }
}
