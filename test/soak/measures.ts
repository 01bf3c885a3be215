import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Query } from '../../src/db/transaction.js';
import type { Program } from '../support/program.js';

/** The resources of a daemon and its database between two runs. */
export interface Sample {
  readonly runs: number;
  /** After a full garbage collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  /**
   * Private memory, resident or swapped. The resident set also changes with the cached part of the
   * executable; it is used without /proc.
   */
  readonly ownBytes: number;
  /** Open files and sockets; undefined without /proc. */
  readonly handles: number | undefined;
  readonly connections: number;
  /** The size of each relation that runs write to, with indexes. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** The catalogs that a concurrent refresh writes to, for its temporary table, and our tables. */
const relations = [
  'pg_catalog.pg_class',
  'pg_catalog.pg_attribute',
  'pg_catalog.pg_type',
  'pg_catalog.pg_depend',
  'pg_catalog.pg_statistic',
  'registry_stats.delta',
  'registry_stats.run',
  'registry_stats.job',
  'registry_stats.source',
  'registry_stats.view',
  'registry_stats.count_rollup',
  'registry_stats.deposit_rollup',
  'registry_stats.deposit_total',
  'public.premis_event_counts',
  'public.current_deposit_stats',
];

export async function takeSample(daemon: Program, query: Query, runs: number): Promise<Sample> {
  const { heapUsed, rss } = await askMemory(daemon);
  const [activity] = await query<{ connections: string }>(
    `select count(*) as connections
    from pg_stat_activity
    where datname = current_database() and application_name = 'registry-stats'`,
  );
  const sizes = await query<{ name: string; bytes: string }>(
    `select name, pg_total_relation_size(name::regclass) as bytes
    from unnest($1::text[]) as name`,
    [relations],
  );
  return {
    runs,
    heapBytes: heapUsed,
    rssBytes: rss,
    ownBytes: ownMemory(daemon.pid) ?? rss,
    handles: countHandles(daemon.pid),
    connections: Number(activity?.connections),
    sizes: Object.fromEntries(sizes.map(({ name, bytes }) => [name, Number(bytes)])),
  };
}

async function askMemory(daemon: Program): Promise<{ heapUsed: number; rss: number }> {
  const before = daemon.stderr.length;
  daemon.kill('SIGWINCH');
  const line = await daemon.until(
    'an answer of the memory probe',
    () => /^memory (.+)$/m.exec(daemon.stderr.slice(before))?.[1],
  );
  return JSON.parse(line) as { heapUsed: number; rss: number };
}

function ownMemory(pid: number): number | undefined {
  const file = `/proc/${String(pid)}/status`;
  if (!existsSync(file)) return undefined;
  const found = readFileSync(file, 'utf8').matchAll(/^(?:RssAnon|VmSwap):\s+(\d+) kB$/gm);
  return [...found].reduce((sum, [, kb]) => sum + Number(kb) * 1024, 0);
}

function countHandles(pid: number): number | undefined {
  const folder = `/proc/${String(pid)}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : undefined;
}

/** Returns the growth per 1,000 runs, by least squares. */
export function growthPerThousandRuns(
  samples: readonly Sample[],
  measure: (sample: Sample) => number,
): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const runs = samples.map((sample) => sample.runs);
  const values = samples.map(measure);
  const [meanRuns, meanValue] = [mean(runs), mean(values)];
  const covariance = mean(
    runs.map((run, index) => (run - meanRuns) * ((values[index] ?? 0) - meanValue)),
  );
  return (1_000 * covariance) / mean(runs.map((run) => (run - meanRuns) ** 2));
}
