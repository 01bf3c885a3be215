import type { Page } from 'playwright-core';
import { generateSampleData } from '../../src/dev/sample-data.js';
import { openPage, type OpenPage } from './browser.js';
import { loadCsv } from './load-csv.js';
import { startDaemon, type Program } from './program.js';
import { noSchedule, untilRuns } from './runs.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

type Settings = Readonly<Record<string, string>>;

export async function incrementalDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

/** Creates a database with twelve years of data. */
export async function grownDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  const options = { statementTimeoutMs: 0, lockTimeoutMs: 5_000 };
  await target.database.write(options, (open) => generateSampleData(open, 5_000));
  return target;
}

export interface Served {
  readonly daemon: Program;
  readonly url: string;
}

/** Starts a daemon and waits for its first runs. */
export async function startServing(target: TestDatabase, settings: Settings = {}): Promise<Served> {
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule, ...settings } });
  const { statusUrl = '' } = await daemon.untilLine('started;');
  await untilRuns(daemon, 'start');
  return { daemon, url: statusUrl };
}

export async function openServed(
  target: TestDatabase,
  settings?: Settings,
): Promise<OpenPage & Served> {
  const served = await startServing(target, settings);
  return { ...served, ...(await openPage(served.url)) };
}

/** Waits until the verdict matches. */
export async function untilVerdict(page: Page, sentence: RegExp): Promise<void> {
  await page.locator('#verdict-sentence').filter({ hasText: sentence }).waitFor();
}

/** Waits until figures and runs are on the page, also if their section is folded. */
export async function untilShown(page: Page): Promise<void> {
  for (const section of ['#key-figures', '#institution-table', '#count-cards', '#run-rows']) {
    await page.locator(`${section} > *`).first().waitFor({ state: 'attached' });
  }
}

/** Makes every refresh of the counts fail. */
export async function breakRefresh(
  { query }: TestDatabase,
  message = 'no space left on device',
): Promise<void> {
  await query(
    `create or replace function registry_stats.due_views(job text) returns text[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    as $$ begin raise exception '%', '${message}'; end $$`,
  );
}

export async function insertRuns({ query }: TestDatabase, count: number): Promise<void> {
  await query(
    `insert into registry_stats.run
      (job, trigger, backend_pid, started_at, finished_at, outcome, reason, changes)
    select
      (array[
        'update_counts', 'update_current_deposit_stats', 'populate_all_historical_deposit_stats'
      ])[1 + n % 3],
      'schedule',
      1,
      started_at,
      started_at + (20 + 7919 * n % 480) * interval '1 ms' * case when n % 41 = 0 then 20 else 1 end,
      case
        when n % 97 = 0 then 'failed'
        when n % 53 = 0 then 'crashed'
        when n % 10 < 3 then 'skipped'
        else 'refreshed'
      end,
      case when n % 97 = 0 then 'canceling statement due to statement timeout' end,
      n % 1000
    from generate_series(1, $1::int) as n
    cross join lateral (select now() - ($1 - n) * interval '5 minutes' as started_at) as time`,
    [count],
  );
}
