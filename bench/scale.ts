import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { verify } from '../src/statistics/verify.js';
import { ingest } from './change.js';
import { historyAll, measureMonth } from './history.js';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import {
  assertExact,
  bareScan,
  changed,
  rebuild,
  rebuildAll,
  runJobs,
  scan,
  unchanged,
} from './refresh.js';
import { connect } from './server.js';
import { measureWriters } from './writers.js';

export const verifyAll = 'verify';

/** The name of the most bytes that temporary files and tables had at once during `scenario`. */
export function temporaryFiles(scenario: string): string {
  return `${scenario}, temporary files`;
}

const sampleEveryMs = 200;
const quickTimes = 60;
const times = 6;

/** Measures the incremental side alone, on tables of any size. Compares all figures at the end. */
export async function measureScale(pair: Pair, recorder: Recorder): Promise<void> {
  const { incremental, files } = pair;
  const { client, pool } = incremental;
  const heavy = async (scenario: string, work: () => Promise<unknown>) => {
    const bytes = await mostTemporaryBytes(pair, () =>
      recorder.time(scenario, 'incremental', files, work),
    );
    recorder.add(temporaryFiles(scenario), 'incremental', files, bytes, 'bytes');
  };
  await heavy(historyAll, () =>
    client.query('select public.populate_all_historical_deposit_stats()'),
  );
  await client.query('vacuum analyze public.historical_deposit_stats');
  await measureMonth(pair, recorder);
  await runJobs(incremental);
  for (let time = 0; time < quickTimes; time += 1) {
    await recorder.time(unchanged.daemon, 'incremental', files, () => runJobs(incremental));
  }
  for (let time = 1; time <= times; time += 1) {
    await ingest(client, 1_000, time);
    await recorder.time(changed(1_000, 'daemon'), 'incremental', files, () => runJobs(incremental));
  }
  for (let time = 0; time < 3; time += 1) {
    await recorder.time(bareScan, 'scan', files, () => scan(incremental));
  }
  await heavy(rebuildAll, () => rebuild(incremental));
  await heavy(verifyAll, () => verify(pool));
  await measureWriters(pair, recorder, {
    rounds: 3,
    subjects: ['baseline', 'incremental'],
  });
  // The triggers were off.
  await rebuild(incremental);
  await assertExact(pair);
}

/** Returns how many bytes the temporary files and tables of the database had at most. */
async function mostTemporaryBytes(
  { address, incremental }: Pair,
  work: () => Promise<void>,
): Promise<number> {
  const client = await connect(address, incremental.name);
  try {
    const working = { isDone: false };
    const [, most] = await Promise.all([
      work().finally(() => (working.isDone = true)),
      sampleTemporaryBytes(client, working),
    ]);
    return most;
  } finally {
    await client.end();
  }
}

async function sampleTemporaryBytes(
  client: pg.Client,
  working: { readonly isDone: boolean },
): Promise<number> {
  let most = 0;
  while (!working.isDone) {
    const { rows } = await client.query<{ bytes: string }>(temporaryBytes);
    most = Math.max(most, Number(rows[0]?.bytes));
    await delay(sampleEveryMs);
  }
  return most;
}

/** Files of temporary tables are named t<session>_<number>. Another session cannot see the tables. */
const temporaryBytes = `
  select
    (select coalesce(sum(size), 0) from pg_ls_tmpdir())
    + (
      select coalesce(sum((pg_stat_file(folder.path || '/' || file.name, true)).size), 0)
      from (
        select 'base/' || oid as path from pg_database where datname = current_database()
      ) as folder
      cross join lateral pg_ls_dir(folder.path) as file (name)
      where file.name like 't%'
    ) as bytes`;
