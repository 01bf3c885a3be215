import { setTimeout as delay } from 'node:timers/promises';
import { ingest } from './change.js';
import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';
import { assertExact, fullRefresh, refreshViews, runJobs } from './refresh.js';
import { formatMs, verdict } from './table.js';

const everyMs = 10_000;
const minutes = 10;
const runs = (minutes * 60_000) / everyMs;
const dayMs = 24 * 3_600_000;
/** Of each of the two tables. */
const rows = 50;
const paced = `${2 * rows} changes, every ${everyMs / 1_000} s`;

/**
 * Lets the daemon's code run every ten seconds, with changes each time, as REFRESH_SCHEDULE would.
 * The refresh of 001 is measured before and after.
 */
export async function measurePace(
  pair: Pair,
  recorder: Recorder,
  say: (text: string) => void,
): Promise<void> {
  const { baseline, incremental, files } = pair;
  const measureFull = async () => {
    for (let time = 0; time < 2; time += 1) {
      await recorder.time(fullRefresh, 'baseline', files, () => refreshViews(baseline));
    }
  };
  await measureFull();
  await runJobs(incremental);
  say(`${minutes} minutes at ${everyMs / 1_000} s`);
  let next = performance.now();
  for (let run = 1; run <= runs; run += 1) {
    next += everyMs;
    await delay(next - performance.now());
    await ingest(incremental.client, rows, run);
    await recorder.time(paced, 'incremental', files, () => runJobs(incremental));
  }
  await measureFull();
  await assertExact(pair);
}

/** Returns the cost of a day at that pace against 24 refreshes of 001. Empty unless measured. */
export function paceRows(recorder: Recorder, files: number): string[][] {
  const run = recorder.summary(paced, 'incremental', files);
  const full = recorder.summary(fullRefresh, 'baseline', files);
  if (run === undefined || full === undefined) return [];
  const day = run.mean * (dayMs / everyMs);
  const share = day / (24 * full.median);
  return [
    [`${paced}, for ${minutes} minutes: median`, formatMs(run.median)],
    [
      'mean, tenth and ninetieth percentile',
      [run.mean, run.low, run.high].map(formatMs).join(', '),
    ],
    ['refresh of 001, median of four', formatMs(full.median)],
    ['a day at that pace', formatMs(day)],
    ['24 refreshes of 001', formatMs(24 * full.median)],
    ['share (target: below 0.5)', `${share.toFixed(2)}, ${verdict(share < 0.5)}`],
  ];
}
