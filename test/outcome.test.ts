import { expect, test } from 'vitest';
import { describeRun, type Outcome } from '../src/jobs/outcome.js';
import type { JobName } from '../src/jobs/job.js';
import { loadCsv } from './support/load-csv.js';
import { runEachJob } from './support/run-each-job.js';
import { createTestDatabase } from './support/test-database.js';

const common = { trigger: 'schedule', startedAt: new Date() } as const;

test.each<[string, JobName, Outcome, number]>([
  [
    'current deposits refreshed (1,552 changes) in 14 ms',
    'update_current_deposit_stats',
    { outcome: 'refreshed', detail: '1,552 changes' },
    14.2,
  ],
  ['counts unchanged', 'update_counts', { outcome: 'skipped', reason: 'unchanged' }, 1],
  [
    'deposit history complete',
    'populate_all_historical_deposit_stats',
    { outcome: 'skipped', reason: 'complete' },
    1,
  ],
  ['counts skipped: running elsewhere', 'update_counts', { outcome: 'skipped', reason: 'busy' }, 1],
  [
    'counts failed: no space',
    'update_counts',
    { outcome: 'failed', error: new Error('no space') },
    9_000,
  ],
  [
    'deposit history refreshed (155 months added) in 1.2 s',
    'populate_all_historical_deposit_stats',
    { outcome: 'refreshed', detail: '155 months added' },
    1_241,
  ],
])('%s', (text, job, result, durationMs) => {
  expect(describeRun({ ...common, job, result, durationMs })).toBe(text);
});

test('changes of sizes alone leave the counts unchanged, and the deposits report them', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await runEachJob(target.database);
  await target.query(`update public.generic_files set size = size + 1 where state = 'A'`);
  const [pending] = await target.query<{ changes: number }>(
    'select count(*)::int as changes from registry_stats.delta',
  );
  const changes = pending?.changes ?? 0;
  expect(changes).toBeGreaterThan(1);
  const [counts, deposits] = await runEachJob(target.database);

  expect(counts).toEqual({ outcome: 'skipped', reason: 'unchanged' });
  expect(deposits).toMatchObject({
    outcome: 'refreshed',
    detail: `${changes} changes`,
    changes,
    changesFolded: 0,
  });
  const recorded = await target.query(
    `select job, outcome, rows_folded::int as folded, changes::int as changes
    from registry_stats.run order by id desc limit 2`,
  );
  expect(recorded).toEqual([
    {
      job: 'update_current_deposit_stats',
      outcome: 'refreshed',
      folded: 0,
      changes,
    },
    { job: 'update_counts', outcome: 'skipped', folded: changes, changes: null },
  ]);
});

test('changes that were reported once are not reported again', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await runEachJob(target.database);
  await target.query(`update public.work_items set action = 'Delete' where id = 1`);
  const [first] = await runEachJob(target.database);
  await target.query(`update public.work_items set action = 'Ingest' where id = 1`);
  const [second] = await runEachJob(target.database);

  expect([first, second]).toMatchObject([{ changes: 2 }, { changes: 2 }]);
});
