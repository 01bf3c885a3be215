import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { renderTable } from '../../bench/table.js';
import { jobNames } from '../../src/jobs/job.js';
import { finalDifferences } from '../exactness/final-differences.js';
import { prepareRows } from '../exactness/prepare-rows.js';
import { Scene } from '../exactness/scene.js';
import { Writer } from '../exactness/writer.js';
import { startDaemon, type Program } from '../support/program.js';
import { noSchedule } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { strikeRun, type Faulty } from './faults.js';
import { growthPerThousandRuns, takeSample, type Sample } from './measures.js';

/** Runs per job; `npm run test:soak` sets 20,000. */
const runs = Number(process.env['RUNS'] ?? 300);
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const requests = Math.ceil(runs / jobNames.length);
const requestsPerFault = 20;
const requestsPerSample = Math.max(10, Math.round(requests / 200));
const poolSize = 4;
/** Records of runs. Older ones get an age of 90 days, so the next run deletes them. */
const recordsKept = 2_000;

/** With fewer runs the program is still warming up, and autovacuum has not run. */
const hasTrend = runs >= 10_000;
/** Private memory varies by a third with the collector, so it has no slope. */
const bounds = { heapKb: 50, ownFactor: 1.5, sizeFactor: 1.5, sizeSlackBytes: 2 ** 20 };

test(
  `${String(runs)} runs, some of them interrupted, leave nothing behind (SEED=${String(seed)})`,
  { timeout: 120_000 + requests * 1_000 },
  async () => {
    const faulty = await startFaulty();
    if (hasTrend) await hurryAutovacuum(faulty.target);
    const scene = new Scene();
    const writing = write(faulty.target, scene).catch((error: unknown) => {
      scene.problem(error);
    });
    const startedAt = performance.now();
    const samples = await soak(faulty, scene);
    scene.finish();
    await writing;
    const { daemon, target } = faulty;
    daemon.kill('SIGTERM');
    const exit = await daemon.exited();
    const differences = await finalDifferences(target.query);

    report(samples, scene, performance.now() - startedAt);
    expect(scene.problems).toEqual([]);
    expect(exit).toEqual({ code: 0, signal: null });
    expect(differences).toEqual([]);
    expect(unexpectedErrors(daemon)).toEqual([]);
    expect(await unfinished(target)).toEqual([]);
    expectNoGrowth(samples);
  },
);

async function startFaulty(): Promise<Faulty> {
  const target = await createTestDatabase();
  await prepareRows(target);
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port) };
  const daemon = await startDaemon({
    env: { ...target.env, ...way, ...noSchedule, DB_POOL_SIZE: String(poolSize) },
    nodeArgs: [
      '--expose-gc',
      `--import=${fileURLToPath(new URL('memory-probe.mjs', import.meta.url))}`,
    ],
  });
  await daemon.untilLine('started;');
  return { target, proxy, daemon, keeper: await target.session() };
}

/**
 * Makes autovacuum frequent: runs come thousands of times as often as at Registry, and its pause of
 * a minute would decide the size of tables.
 */
async function hurryAutovacuum({ query }: TestDatabase): Promise<void> {
  onTestFinished(async () => {
    await query('alter system reset autovacuum_naptime');
    await query('select pg_reload_conf()');
  });
  await query(`alter system set autovacuum_naptime = '1s'`);
  await query('select pg_reload_conf()');
}

/** Runs one transaction of any kind per request. */
async function write(target: TestDatabase, scene: Scene): Promise<void> {
  const options = { seed, number: 0, hasPreparedTransactions: false, prepared: [] };
  const writer = new Writer(target, scene, options);
  for (let index = 0; !scene.isOver; index++) {
    await writer.transact(index);
    await scene.next('run');
  }
}

/** Requests runs as fast as they end. */
async function soak(faulty: Faulty, scene: Scene): Promise<Sample[]> {
  const { daemon, target } = faulty;
  const ends = new EndsOfRuns(daemon);
  const samples: Sample[] = [];
  await ends.next();
  for (let request = 1; request <= requests && !scene.isOver; request++) {
    if (request % requestsPerFault > 0) daemon.kill('SIGUSR2');
    else scene.count(await strikeRun(faulty, request / requestsPerFault));
    await ends.next();
    scene.signal('run');
    if (request % requestsPerSample > 0) continue;
    await ageRecords(target);
    samples.push(await takeSample(daemon, target.query, request * jobNames.length));
  }
  return samples;
}

/** The ends of the last job of each request. Each line is read once, of 27,000. */
class EndsOfRuns {
  readonly #daemon: Program;
  #read = 0;

  constructor(daemon: Program) {
    this.#daemon = daemon;
  }

  /** Waits for the next one. For a lost connection, that is the repeated run. */
  next(): Promise<boolean> {
    return this.#daemon.until('the end of a run', () => {
      const unread = this.#daemon.lines.slice(this.#read);
      this.#read += unread.length;
      return unread.some(
        ({ job, outcome, level }) =>
          job === jobNames.at(-1) && outcome !== undefined && level !== 'warn',
      );
    });
  }
}

async function ageRecords({ query }: TestDatabase): Promise<void> {
  await query(
    `update registry_stats.run
    set started_at = started_at - interval '91 days'
    where started_at > now() - interval '90 days'
      and id <= (select max(id) - $1 from registry_stats.run)`,
    [recordsKept],
  );
}

/**
 * Returns logged errors, except those caused by a fault, or by a writer that truncated
 * institutions.
 */
function unexpectedErrors(daemon: Program): string[] {
  const struck =
    /canceling statement due to lock timeout|the database does not respond|canceling statement due to user request|Connection terminated|terminating connection|ECONNRE/;
  return daemon.lines
    .filter(({ level, msg }) => (level === 'error' || level === 'warn') && !struck.test(msg))
    .map(({ msg }) => msg);
}

/** Returns runs without an end. A later run marks an interrupted one as crashed. */
function unfinished({ query }: TestDatabase): Promise<unknown[]> {
  return query('select * from registry_stats.run where outcome is null');
}

function expectNoGrowth(samples: readonly Sample[]): void {
  const half = Math.floor(samples.length / 2);
  const [early, late] = [samples.slice(0, half), samples.slice(half)];
  expect(most(late, ({ connections }) => connections)).toBeLessThanOrEqual(poolSize);
  const handles = most(early, (sample) => sample.handles ?? 0);
  expect(most(late, (sample) => sample.handles ?? 0)).toBeLessThanOrEqual(handles + poolSize);
  if (!hasTrend) return;
  for (const name of Object.keys(samples[0]?.sizes ?? {})) {
    const before = most(early, ({ sizes }) => sizes[name] ?? 0);
    const bound = before * bounds.sizeFactor + bounds.sizeSlackBytes;
    expect(
      most(late, ({ sizes }) => sizes[name] ?? 0),
      name,
    ).toBeLessThanOrEqual(bound);
  }
  expect(heapGrowthKb(late)).toBeLessThan(bounds.heapKb);
  const own = most(early, ({ ownBytes }) => ownBytes);
  expect(most(late, ({ ownBytes }) => ownBytes)).toBeLessThanOrEqual(own * bounds.ownFactor);
}

function most(samples: readonly Sample[], measure: (sample: Sample) => number): number {
  return Math.max(...samples.map(measure));
}

/** Returns the growth per 1,000 runs. */
function heapGrowthKb(samples: readonly Sample[]): number {
  return growthPerThousandRuns(samples, ({ heapBytes }) => heapBytes) / 1024;
}

function report(samples: readonly Sample[], scene: Scene, durationMs: number): void {
  const at = (part: number): Sample | undefined => samples[Math.floor((samples.length - 1) * part)];
  const points = [at(0), at(0.25), at(0.5), at(0.75), at(1)].filter((point) => point !== undefined);
  const row = (name: string, measure: (sample: Sample) => number): string[] => [
    name,
    ...points.map((sample) => String(Math.round(measure(sample)))),
    String(Math.round(most(samples, measure))),
  ];
  const kb = (bytes = 0): number => bytes / 1024;
  const table = renderTable(
    ['after runs', ...points.map((sample) => String(sample.runs)), 'most'],
    [
      row('heap, KB', ({ heapBytes }) => kb(heapBytes)),
      row('own memory, KB', ({ ownBytes }) => kb(ownBytes)),
      row('resident, KB', ({ rssBytes }) => kb(rssBytes)),
      row('handles', ({ handles }) => handles ?? Number.NaN),
      row('connections', ({ connections }) => connections),
      ...Object.keys(samples[0]?.sizes ?? {}).map((name) =>
        row(`${name}, KB`, ({ sizes }) => kb(sizes[name])),
      ),
    ],
  );
  const late = samples.slice(Math.floor(samples.length / 2));
  const lines = [
    `${String(runs)} runs in ${(durationMs / 1000).toFixed(0)} s, SEED=${String(seed)}`,
    `growth of the heap in the second half: ${heapGrowthKb(late).toFixed(1)} KB per 1,000 runs`,
    ...Object.entries({ ...scene.counts, ...scene.failures })
      .sort(([one], [other]) => one.localeCompare(other))
      .map(([what, count]) => `  ${what}: ${String(count)}`),
    table,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
