import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';

export const historyAll = 'history, all months';
const historySample = 'history, one month';

/** Above this size the baseline's history is measured on a sample of months. */
const allMonthsUpTo = 1_000_000;
const sampledMonths = 9;

/**
 * Measures the whole history, which is missing: rolled back each time, then kept. The baseline
 * scans the table once per month. If that is too slow, evenly spread months are a sample.
 */
export async function measureHistory(pair: Pair, recorder: Recorder): Promise<void> {
  const { baseline, incremental, files } = pair;
  for (let time = 0; time < 3; time += 1) {
    await incremental.client.query('begin');
    await recorder.time(historyAll, 'incremental', files, () =>
      incremental.client.query('select public.populate_all_historical_deposit_stats()'),
    );
    await incremental.client.query('rollback');
  }
  await incremental.client.query('select public.populate_all_historical_deposit_stats()');
  await incremental.client.query('vacuum analyze public.historical_deposit_stats');
  if (files <= allMonthsUpTo) {
    await baseline.client.query('begin');
    await recorder.time(historyAll, 'baseline', files, () =>
      baseline.client.query('select public.populate_all_historical_deposit_stats()'),
    );
    await baseline.client.query('rollback');
  }
  for (const month of await sampleMonths(pair)) {
    await baseline.client.query('begin');
    await recorder.time(historySample, 'baseline', files, () =>
      baseline.client.query('select public.populate_historical_deposit_stats($1::date)', [month]),
    );
    await baseline.client.query('rollback');
  }
}

/** Returns the middle months of equally long parts. */
async function sampleMonths({ incremental }: Pair): Promise<string[]> {
  const { rows } = await incremental.client.query<{ month: string }>(
    `select distinct end_date::text as month
    from public.historical_deposit_stats
    order by month`,
  );
  const months: string[] = [];
  for (let part = 0; part < sampledMonths; part += 1) {
    const row = rows[Math.floor(((part + 0.5) * rows.length) / sampledMonths)];
    if (row !== undefined) months.push(row.month);
  }
  return months;
}

/** Returns the baseline's cost of all months: measured, or the sample's mean times their number. */
export function baselineHistory(recorder: Recorder, files: number, months: number) {
  const whole = recorder.summary(historyAll, 'baseline', files);
  if (whole !== undefined) return { ms: whole.median, isSampled: false };
  const sample = recorder.summary(historySample, 'baseline', files);
  return { ms: sample === undefined ? NaN : sample.mean * months, isSampled: true };
}
