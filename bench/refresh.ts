import { jobNames, jobs } from '../src/jobs/job.js';
import { beginRound } from '../src/jobs/outcome.js';
import { refresh } from '../src/statistics/refresh.js';
import { ingest } from './change.js';
import { views, type Pair, type Side } from './pair.js';
import type { Recorder } from './recorder.js';
import { connect } from './server.js';

/** Rows of each of the two tables that a change adds, with how often it is measured in a round. */
export const changes = [
  { rows: 10, times: 3 },
  { rows: 100, times: 3 },
  { rows: 1_000, times: 6 },
  { rows: 10_000, times: 1 },
  { rows: 25_000, times: 1 },
] as const;

export const fullRefresh = 'full refresh';
export const rebuildAll = 'rebuild of everything';
export const bareScan = 'bare scan of both tables';
export const bareRefresh = 'bare refresh of the three views that a change concerns';
export const unchanged = {
  functions: 'nothing changed, public functions',
  begin: 'nothing changed, begin_run',
  daemon: 'nothing changed, daemon',
  connection: 'nothing changed, public functions, new connection',
} as const;

export function changed(rows: number, path: 'functions' | 'daemon' = 'functions'): string {
  const by = path === 'daemon' ? ', daemon' : '';
  return `${rows.toLocaleString('en')} files + ${rows.toLocaleString('en')} events changed${by}`;
}

let seed = 0;

/** One round over one pair: everything about keeping the views fresh, the two sides in turn. */
export async function measureRefresh(pair: Pair, recorder: Recorder, quick: number): Promise<void> {
  const { baseline, incremental, files } = pair;
  await recorder.time(fullRefresh, 'baseline', files, () => refreshViews(baseline));
  await measureUnchanged(pair, recorder, quick);
  for (let time = 0; time < 3; time += 1) {
    await recorder.time(bareRefresh, 'scan', files, () => refreshViews(incremental, changedViews));
  }
  // They show the time of a refresh that is not ours.
  await callFunctions(incremental);
  for (const { rows, times } of changes) {
    for (let time = 0; time < times; time += 1) {
      seed += 1;
      await ingest(incremental.client, rows, seed);
      await recorder.time(changed(rows), 'incremental', files, () => callFunctions(incremental));
    }
    if (rows !== 1_000) continue;
    await ingest(baseline.client, rows, seed);
    await recorder.time(changed(rows), 'baseline', files, () => refreshViews(baseline));
    for (let time = 0; time < times; time += 1) {
      seed += 1;
      await ingest(incremental.client, rows, seed);
      await recorder.time(changed(rows, 'daemon'), 'incremental', files, () =>
        runJobs(incremental),
      );
    }
  }
  await recorder.time(bareScan, 'scan', files, () => scan(baseline));
  await recorder.time(rebuildAll, 'incremental', files, () => rebuild(incremental));
}

async function measureUnchanged(
  { incremental, files, address }: Pair,
  recorder: Recorder,
  times: number,
) {
  for (let time = 0; time < times; time += 1) {
    await recorder.time(unchanged.functions, 'incremental', files, () =>
      callFunctions(incremental, true),
    );
    await recorder.time(unchanged.begin, 'incremental', files, async () => {
      for (const { name } of jobs) {
        await incremental.client.query('select registry_stats.begin_run($1, $2)', [name, 'sql']);
      }
    });
    await recorder.time(unchanged.daemon, 'incremental', files, () => runJobs(incremental));
  }
  // Apart: a server process that comes and goes disturbs the others.
  for (let time = 0; time < 3; time += 1) {
    await recorder.time(unchanged.connection, 'incremental', files, async () => {
      const client = await connect(address, incremental.name);
      await callFunctions({ ...incremental, client }, true);
      await client.end();
    });
  }
}

/** Those whose figures move with files and events. */
const changedViews = [
  'premis_event_counts',
  'generic_file_counts',
  'current_deposit_stats',
] as const;

/** What the functions of 001 do, without their guard by age. */
export async function refreshViews({ client }: Side, of: readonly string[] = views): Promise<void> {
  for (const view of of) {
    await client.query(`refresh materialized view concurrently public.${view}`);
  }
}

/** Registry's functions. The history only where it is complete: a month is measured elsewhere. */
export async function callFunctions({ client }: Side, withHistory = false): Promise<void> {
  await client.query('select public.update_counts()');
  await client.query('select public.update_current_deposit_stats()');
  if (withHistory) await client.query('select public.populate_all_historical_deposit_stats()');
}

/** All three jobs as the daemon runs them, with their records. */
export async function runJobs({ pool }: Side): Promise<void> {
  const round = beginRound({ trigger: 'command', jobs: jobNames, isManual: true });
  for (const job of jobs) {
    const outcome = await refresh(pool, job, round, {
      statementTimeoutMs: 0,
      lockTimeoutMs: 5_000,
    });
    if (outcome.outcome === 'failed') throw outcome.error;
  }
}

export async function rebuild(side: Side): Promise<void> {
  for (const source of sources) {
    await side.client.query('begin isolation level repeatable read');
    await side.client.query('select registry_stats.rebuild($1)', [source]);
    await side.client.query('commit');
  }
  await callFunctions(side);
}

const sources = ['generic_files', 'intellectual_objects', 'premis_events', 'work_items'] as const;

/** The least that anybody must do who reads the tables. */
export async function scan({ client }: Side): Promise<void> {
  await client.query(`select count(*), sum(size) from public.generic_files where state = 'A'`);
  await client.query('select count(*), count(outcome) from public.premis_events');
}

/** A benchmark of wrong figures is worth nothing: every rollup and view is compared with the tables. */
export async function assertExact({ incremental: { client }, files }: Pair): Promise<void> {
  for (const source of sources) {
    const { rowCount } = await client.query('select from registry_stats.differences($1)', [source]);
    if (rowCount !== 0)
      throw new Error(`${files} files: ${rowCount ?? 0} differences in ${source}`);
  }
}
