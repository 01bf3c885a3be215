import { expect, test } from 'vitest';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon } from '../support/program.js';
import { messages, noSchedule, runsOf, untilRuns } from '../support/runs.js';
import { eventually } from '../support/slow-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

async function databaseWithRows(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

/** Makes every refresh of a job's views sleep first. */
async function makeRunSleep({ query }: TestDatabase): Promise<void> {
  await query(
    `create or replace function registry_stats.due_views(job text) returns text[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    as $$ begin perform pg_sleep(30); return '{}'; end $$`,
  );
}

async function isAsleep({ query }: TestDatabase): Promise<boolean> {
  const rows = await query(
    `select from pg_stat_activity
    where datname = current_database() and wait_event = 'PgSleep'`,
  );
  return rows.length === 1;
}

/** Returns whether the run is active, also between two waits. */
async function isRunning({ query }: TestDatabase): Promise<boolean> {
  const rows = await query(
    `select from pg_stat_activity
    where datname = current_database()
      and application_name = 'registry-stats'
      and state = 'active'`,
  );
  return rows.length > 0;
}

test('the daemon refreshes what changed, logs how much, and skips what did not', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  expect(await untilRuns(daemon, 'start')).toEqual([
    ['update_counts', 'refreshed', expect.stringMatching(/^\d+ changes$/)],
    ['update_current_deposit_stats', 'refreshed', expect.stringMatching(/^[1-9]\d* changes$/)],
    [
      'populate_all_historical_deposit_stats',
      'refreshed',
      expect.stringMatching(/^\d+ months? added$/),
    ],
  ]);
  daemon.kill('SIGUSR2');
  expect(await untilRuns(daemon, 'signal')).toEqual([
    ['update_counts', 'skipped', 'nothing changed since the last refresh'],
    ['update_current_deposit_stats', 'skipped', 'nothing changed since the last refresh'],
    ['populate_all_historical_deposit_stats', 'skipped', 'no month is missing'],
  ]);

  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  daemon.kill('SIGUSR2');
  expect((await untilRuns(daemon, 'signal', 2)).at(-3)).toEqual([
    'update_counts',
    'refreshed',
    expect.stringMatching(/^\d+ changes$/),
  ]);
  expect(messages(daemon, 'error')).toEqual([]);
});

test('the next run reports and repairs a truncated table and a disabled trigger', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await untilRuns(daemon, 'start');
  await target.query('alter table public.generic_files disable trigger registry_stats_update');
  await target.query(`update public.generic_files set state = 'D'`);
  await target.query('alter table public.generic_files enable trigger registry_stats_update');
  await target.query('truncate public.work_items cascade');
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');

  expect(runsOf(daemon.lines, 'signal').map(([, outcome]) => outcome)).toEqual([
    'refreshed',
    'refreshed',
    'skipped',
  ]);
  expect(
    await target.query(
      `select
        (select max(row_count) from public.work_item_counts) as items,
        (select max(file_count) from public.current_deposit_stats) as files`,
    ),
  ).toEqual([{ items: '0', files: '0' }]);
  expect(daemon.stdout).toContain('generic_files');
});

test('SIGTERM cancels a run on the server and records it as cancelled', async () => {
  const target = await databaseWithRows();
  await makeRunSleep(target);
  const env = { ...target.env, ...noSchedule, SHUTDOWN_TIMEOUT: '1s' };
  const daemon = await startDaemon({ env });
  await eventually('a sleeping run', () => isAsleep(target));
  daemon.kill('SIGTERM');

  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  expect(await isAsleep(target)).toBe(false);
  expect(await target.query('select job, trigger, outcome from registry_stats.run')).toEqual([
    { job: 'update_counts', trigger: 'start', outcome: 'cancelled' },
  ]);
});

test('the next run records a killed one as crashed', async () => {
  const target = await databaseWithRows();
  await makeRunSleep(target);
  const killed = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await eventually('a sleeping run', () => isAsleep(target));
  killed.kill('SIGKILL');
  await killed.exited();
  await eventually('its end on the server', async () => !(await isRunning(target)));
  const next = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await eventually('a sleeping run', () => isAsleep(target));
  next.kill('SIGKILL');

  expect(
    await target.query('select outcome, reason from registry_stats.run where outcome is not null'),
  ).toEqual([{ outcome: 'crashed', reason: 'its server process ended without finishing it' }]);
});

test('a scheduled verification logs drift as an error', async () => {
  const target = await databaseWithRows();
  const env = { ...target.env, ...noSchedule, VERIFY_SCHEDULE: '* * * * * *' };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  await daemon.untilLine('every current figure matches the tables');
  await target.query(`update registry_stats.count_rollup set row_count = row_count + 1`);

  const line = await daemon.untilLine('drift: ');
  expect(line.level).toBe('error');
  expect(line.msg).toMatch(
    /^drift: \d+ figures differ from the tables; run `registry-stats verify/,
  );
  const [worst] = await target.query<{ differences: number }>(
    'select max(differences) as differences from registry_stats.verification',
  );
  expect(line.msg).toContain(`drift: ${String(worst?.differences)} figures`);
});
