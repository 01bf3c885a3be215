import type { Pair } from './pair.js';
import type { Recorder } from './recorder.js';

export const historyAll = 'history, all months';
export const historyMonth = 'history, the month that began';
const historySample = 'history, one month';

/** Above this size the baseline's history is measured on a sample of months. */
const allMonthsUpTo = 1_000_000;
const sampledMonths = 9;
const monthTimes = 10;

/** The first refresh of a month finds few files that were created in it, on whatever day this runs. */
const emptyMonth = `update public.generic_files
  set created_at = created_at - interval '1 month'
  where created_at >= date_trunc('month', now() at time zone 'utc')`;

/** The state at the begin of a month, to be rolled back. */
const withoutLastMonth = `begin;
  delete from public.historical_deposit_stats
  where end_date = date_trunc('month', now() at time zone 'utc')`;

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
  await measureMonth(pair, recorder);
  if (files <= allMonthsUpTo) {
    await baseline.client.query('begin');
    await recorder.time(historyAll, 'baseline', files, () =>
      baseline.client.query('select public.populate_all_historical_deposit_stats()'),
    );
    await baseline.client.query('rollback');
  }
  const [last = ''] = (await readMonths(pair)).slice(-1);
  for (let time = 0; time < 3; time += 1) {
    await baseline.client.query('begin');
    await recorder.time(historyMonth, 'baseline', files, () =>
      baseline.client.query('select public.populate_historical_deposit_stats($1::date)', [last]),
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

/** Measures the begin of a month, rolled back each time. */
export async function measureMonth({ incremental, files }: Pair, recorder: Recorder) {
  const { client } = incremental;
  await client.query(emptyMonth);
  await client.query('vacuum public.generic_files');
  for (let time = 0; time < monthTimes; time += 1) {
    await client.query(withoutLastMonth);
    await recorder.time(historyMonth, 'incremental', files, () =>
      client.query('select public.populate_all_historical_deposit_stats()'),
    );
    await client.query('rollback');
  }
}

async function readMonths({ incremental }: Pair): Promise<string[]> {
  const { rows } = await incremental.client.query<{ month: string }>(
    `select distinct end_date::text as month
    from public.historical_deposit_stats
    order by month`,
  );
  return rows.map(({ month }) => month);
}

/** Returns the middle months of equally long parts. */
async function sampleMonths(pair: Pair): Promise<string[]> {
  const months = await readMonths(pair);
  const sample: string[] = [];
  for (let part = 0; part < sampledMonths; part += 1) {
    const month = months[Math.floor(((part + 0.5) * months.length) / sampledMonths)];
    if (month !== undefined) sample.push(month);
  }
  return sample;
}

/** Returns the baseline's cost of all months: measured, or the sample's mean times their number. */
export function baselineHistory(recorder: Recorder, files: number, months: number) {
  const whole = recorder.summary(historyAll, 'baseline', files);
  if (whole !== undefined) return { ms: whole.median, isSampled: false };
  const sample = recorder.summary(historySample, 'baseline', files);
  return { ms: sample === undefined ? NaN : sample.mean * months, isSampled: true };
}
