import type pg from 'pg';
import { sources, type Source } from '../../../src/statistics/installation.js';
import { RandomNumbers } from '../../exactness/random-numbers.js';
import { newRow } from '../../exactness/rows.js';
import { Scene } from '../../exactness/scene.js';
import { checkSnapshot } from '../../exactness/workers.js';
import { insert } from '../../exactness/workload.js';
import type { TestDatabase } from '../../support/test-database.js';
import { CrowdWriter } from './crowd-writer.js';
import { Latencies } from './latencies.js';

const writers = 3;
const readers = 2;
const callers = 2;
/** Transactions of writers between two checks of all figures. */
const transactionsPerCheck = 2_000;

interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** Whether Registry's functions are called and all figures checked meanwhile. */
  readonly hasCallers: boolean;
}

export interface PhaseResult {
  readonly phase: Phase;
  readonly scene: Scene;
  readonly latencies: Latencies;
}

/** Runs all sessions for some seconds. The first error ends it. */
export async function playPhase(
  target: TestDatabase,
  phase: Phase,
  shared: Readonly<Record<Source, string>>,
): Promise<PhaseResult> {
  const scene = new Scene();
  const latencies = new Latencies();
  const timer = setTimeout(() => {
    scene.finish();
  }, phase.seconds * 1_000);

  const write: Work = async (client, number) => {
    const writer = new CrowdWriter({ client, scene, number, phase: phase.name, shared });
    await writer.write();
    latencies.include(writer.latencies);
  };
  const works = [
    ...times(writers, write),
    ...times(readers, (client) => read(client, scene)),
    ...times(phase.hasCallers ? callers : 0, (client) => call(client, scene)),
    ...times(phase.hasCallers ? 1 : 0, (client) => check(client, scene)),
  ];
  await Promise.all(
    works.map(async (work, number) => {
      const client = await target.session();
      await work(client, number).catch((error: unknown) => {
        scene.problem(error);
      });
      await client.end();
    }),
  );
  clearTimeout(timer);
  return { phase, scene, latencies };
}

type Work = (client: pg.Client, number: number) => Promise<void>;

function times(count: number, work: Work): Work[] {
  return Array.from({ length: count }, () => work);
}

/** Adds a row to each table that all writers change. */
export async function addSharedRows({ query }: TestDatabase): Promise<Record<Source, string>> {
  const random = new RandomNumbers(0);
  const entries: [Source, string][] = [];
  for (const source of sources) {
    const text = `${insert(source, [newRow(source, random, 'shared')])} returning id`;
    const [row] = await query<{ id: string }>(text);
    entries.push([source, row?.id ?? '']);
  }
  return Object.fromEntries(entries) as Record<Source, string>;
}

/** How many grouping sets contain each row. */
const groupings = {
  premis_event_counts: { count: 'row_count', sets: 8 },
  intellectual_object_counts: { count: 'row_count', sets: 4 },
  generic_file_counts: { count: 'row_count', sets: 4 },
  work_item_counts: { count: 'row_count', sets: 4 },
  current_deposit_stats: { count: 'file_count', sets: 4 },
} as const;

/** Reads like a page of Registry: no view may be empty or partly older. */
async function read(client: pg.Client, scene: Scene): Promise<void> {
  const views = Object.entries(groupings).flatMap(([view, grouping]) =>
    [`public.${view}`, `registry_stats.live_${view}`].map((name) => ({ name, ...grouping })),
  );
  while (!scene.isOver) {
    for (const { name, count, sets } of views) {
      const { rows } = await client.query<{ shown: string | null; total: string | null }>(
        `select sum(${count}) as shown, ${String(sets)} * max(${count}) as total from ${name}`,
      );
      if (rows[0]?.shown == null || rows[0].shown !== rows[0].total) {
        scene.problem({ view: name, ...rows[0] });
      }
      scene.count('reads of a view');
    }
  }
}

/** Calls Registry's three functions in one transaction. */
async function call(client: pg.Client, scene: Scene): Promise<void> {
  while (!scene.isOver) {
    const { rows } = await client.query<{ counts: number; deposits: number }>(
      `select
        public.update_counts() as counts,
        public.update_current_deposit_stats() as deposits,
        public.populate_all_historical_deposit_stats()`,
    );
    scene.count('calls of the three functions');
    if (rows[0]?.counts === 1 || rows[0]?.deposits === 1) scene.count('calls that refreshed');
  }
}

/** Checks in one snapshot that live views, and views that claim to be current, match the tables. */
async function check(client: pg.Client, scene: Scene): Promise<void> {
  while (!scene.isOver) {
    await checkSnapshot(client, scene);
    await scene.next('progress', transactionsPerCheck);
  }
}
