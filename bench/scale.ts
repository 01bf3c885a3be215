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
import { measureUsage } from './usage.js';
import { measureWriters } from './writers.js';

export const verifyAll = 'verify';

/** The name of the most bytes that temporary files and tables had at once during `scenario`. */
export function temporaryFiles(scenario: string): string {
  return `${scenario}, temporary files`;
}

/** The name of the most bytes of memory that the server's processes had at once. */
export function memory(scenario: string): string {
  return `${scenario}, memory`;
}

const quickTimes = 60;
const times = 6;

/** Measures the incremental side alone, on tables of any size. Compares all figures at the end. */
export async function measureScale(pair: Pair, recorder: Recorder): Promise<void> {
  const { incremental, files } = pair;
  const { client, pool } = incremental;
  const heavy = async (scenario: string, work: () => Promise<unknown>) => {
    const usage = await measureUsage(pair, () =>
      recorder.time(scenario, 'incremental', files, work),
    );
    recorder.add(temporaryFiles(scenario), 'incremental', files, usage.temporary, 'bytes');
    recorder.add(memory(scenario), 'incremental', files, usage.memory, 'bytes');
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
