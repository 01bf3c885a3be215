import { ingest } from './change.js';
import { views, type Pair, type Side } from './pair.js';
import type { Recorder, Subject } from './recorder.js';
import { connect, type Address } from './server.js';

export const reading = { idle: 'read, no refresh', refreshing: 'read during refresh' } as const;

/** Measures the wait of Registry's pages while the views are refreshed. */
export async function measureReaders(pair: Pair, recorder: Recorder): Promise<void> {
  const { baseline, incremental } = pair;
  await readWhile(pair, incremental, recorder, 'incremental', reading.idle, () => pause(2_000));
  await readWhile(pair, incremental, recorder, 'incremental', reading.refreshing, async () => {
    for (let time = 0; time < 40; time += 1) {
      await ingest(incremental.client, 50, 1_000_000 + time);
      await incremental.client.query('select public.update_counts()');
      await incremental.client.query('select public.update_current_deposit_stats()');
    }
  });
  await readWhile(pair, baseline, recorder, 'baseline', reading.idle, () => pause(2_000));
  await readWhile(pair, baseline, recorder, 'baseline', reading.refreshing, async () => {
    for (const view of views) {
      await baseline.client.query(`refresh materialized view concurrently public.${view}`);
    }
  });
}

async function readWhile(
  { address, files }: { address: Address; files: number },
  side: Side,
  recorder: Recorder,
  subject: Subject,
  scenario: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const reader = await connect(address, side.name);
  const state = { isDone: false };
  const working = work().finally(() => (state.isDone = true));
  try {
    while (!state.isDone) {
      await recorder.time(scenario, subject, files, () =>
        reader.query('select * from public.current_deposit_stats where institution_id = 3'),
      );
      await recorder.time(scenario, subject, files, () =>
        reader.query('select * from public.premis_event_counts where institution_id is null'),
      );
    }
  } finally {
    await working;
    await reader.end();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
