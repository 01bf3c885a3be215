import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { generateSampleData } from '../../src/dev/sample-data.js';
import { findAxeViolations, openPage, takeShot, type OpenPage } from '../support/browser.js';
import { loadCsv } from '../support/load-csv.js';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, noSchedule, untilRuns } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

type Settings = Readonly<Record<string, string>>;

async function incrementalDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

/** Creates a database with twelve years of data. */
async function grownDatabase(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  const options = { statementTimeoutMs: 0, lockTimeoutMs: 5_000 };
  await target.database.write(options, (open) => generateSampleData(open, 5_000));
  return target;
}

/** Starts a daemon and waits for its first runs. */
async function startServing(
  target: TestDatabase,
  settings: Settings = {},
): Promise<{ daemon: Program; url: string }> {
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule, ...settings } });
  const { statusUrl = '' } = await daemon.untilLine('started;');
  await untilRuns(daemon, 'start');
  return { daemon, url: statusUrl };
}

/** Waits until the verdict matches, and until runs and figures are visible. */
async function untilVerdict(page: Page, sentence: RegExp): Promise<void> {
  await page.locator('#verdict-sentence').filter({ hasText: sentence }).waitFor();
}

async function openServed(target: TestDatabase, settings?: Settings): Promise<OpenPage & Served> {
  const served = await startServing(target, settings);
  return { ...served, ...(await openPage(served.url)) };
}

interface Served {
  readonly daemon: Program;
  readonly url: string;
}

/** Makes every refresh of the counts fail. */
async function breakRefresh({ query }: TestDatabase): Promise<void> {
  await query(
    `create or replace function registry_stats.due_views(job text) returns text[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    as $$ begin raise exception 'no space left on device'; end $$`,
  );
}

async function insertRuns({ query }: TestDatabase, count: number): Promise<void> {
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
      case when n % 97 = 0 then 'failed' when n % 53 = 0 then 'crashed' else 'refreshed' end,
      case when n % 97 = 0 then 'canceling statement due to statement timeout' end,
      n % 1000
    from generate_series(1, $1::int) as n
    cross join lateral (select now() - ($1 - n) * interval '5 minutes' as started_at) as time`,
    [count],
  );
}

function rowsOf(page: Page): Promise<number> {
  return page.locator('#run-rows tbody tr').count();
}

test('a healthy daemon: the page shows since when, jobs, runs and figures', async () => {
  const { page, daemon, problems } = await openServed(await grownDatabase());
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  await untilVerdict(page, /^All statistics are exact as of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);

  const details = page.locator('#verdict-details');
  expect(await details.textContent()).toMatch(/^Checked \d+ s ago\.Nothing is pending\./);
  const counts = page.locator('[data-job="update_counts"]');
  await counts.getByText('Nothing to run: nothing changed since the last refresh.').waitFor();
  expect(await counts.locator('.badge').textContent()).toBe('fresh');
  expect(await counts.locator('dt').allTextContents()).toEqual([
    'Checked',
    'Refreshed',
    'Data as of',
    'Next run',
    'Pending changes',
  ]);
  await page.locator('.tables table').first().waitFor();
  expect(await rowsOf(page)).toBe(3);
  await expect.poll(() => page.locator('.charts canvas').count()).toBe(2);
  await takeShot(page, 'fresh');
  expect(problems).toEqual([]);
});

test('a failing job is named, with its error, the time of its figures, and what to do', async () => {
  const target = await incrementalDatabase();
  const { daemon, url } = await startServing(target);
  await breakRefresh(target);
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const { page, problems } = await openPage(url);
  await untilVerdict(page, /^update_counts, update_current_deposit_stats fail\.$/);

  const details = (await page.locator('#verdict-details').textContent()) ?? '';
  expect(details).toContain('update_counts: no space left on device');
  expect(details).toContain('Its figures are as of');
  expect(details).toContain('run `registry-stats refresh`');
  expect(await page.locator('[data-job="update_counts"] > p .badge').textContent()).toBe('failing');
  await page.locator('#run-rows [data-state="failed"]').first().waitFor();
  await page.locator('.tables table').first().waitFor();
  await takeShot(page, 'failing');
  expect(problems).toEqual([]);
});

test('an empty database without a recorded run is shown as empty', async () => {
  const target = await createTestDatabase('migrated');
  const { daemon, url } = await startServing(target);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  await target.query('delete from registry_stats.run');
  const { page, problems } = await openPage(url);
  await untilVerdict(page, /^All statistics are exact as of/);

  await page.getByText('No such run on record.').waitFor();
  await page.getByText('Nothing was stored yet.').first().waitFor();
  await expect.poll(() => page.getByText('No run on record yet.').count()).toBe(3);
  await takeShot(page, 'empty');
  expect(problems).toEqual([]);
});

test('10,000 runs come in pages of 50', async () => {
  const target = await incrementalDatabase();
  await insertRuns(target, 10_000);
  const { page, problems } = await openServed(target);
  await page.getByText('50 newest runs; there are older ones.').waitFor();
  expect(await rowsOf(page)).toBe(50);
  await page
    .getByText(/^Last 200 runs: half within/)
    .first()
    .waitFor();
  await page.locator('.tables table').first().waitFor();
  await takeShot(page, 'ten-thousand-runs');

  const first = await page.locator('#run-rows tbody tr').first().textContent();
  await page.getByRole('button', { name: 'Older' }).click();
  await page.getByText('50 older runs; there are older ones.').waitFor();
  expect(await page.locator('#run-rows tbody tr').first().textContent()).not.toBe(first);
  await page.getByRole('button', { name: 'Newest' }).click();
  await page.getByText('50 newest runs; there are older ones.').waitFor();
  expect(await page.locator('#run-rows tbody tr').first().textContent()).toBe(first);
  expect(problems).toEqual([]);
});

test('a lost database, and one that is back, are shown without a reload', async () => {
  const target = await incrementalDatabase();
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), RETRY_ATTEMPTS: '0' };
  const { page } = await openServed(target, way);
  await untilVerdict(page, /^All statistics are exact/);
  await proxy.cut();
  await untilVerdict(page, /^The database is unreachable or read-only\.$/);
  expect(await page.locator('#verdict-details').textContent()).toContain('needs no restart');
  const badges = page.locator('[data-job] > p .badge');
  expect(await badges.allTextContents()).toEqual(Array(3).fill('last known: fresh'));
  await takeShot(page, 'database-away');

  await proxy.restore();
  await untilVerdict(page, /^All statistics are exact/);
  expect(await badges.allTextContents()).toEqual(Array(3).fill('fresh'));
});

test('a database that does not respond delays neither the status nor the page', async () => {
  const target = await incrementalDatabase();
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), SHUTDOWN_TIMEOUT: '1s' };
  const { url } = await startServing(target, way);
  proxy.freeze();
  const start = performance.now();
  const response = (await (await fetch(`${url}/api/status`)).json()) as { statistics: unknown };
  expect(performance.now() - start).toBeLessThan(3_000);
  expect(response.statistics).toMatchObject({
    mode: 'unknown',
    problem: 'the database did not answer within 2 s',
  });
  const { page } = await openPage(url);
  await untilVerdict(page, /^The database is unreachable or read-only\.$/);
});

test('a stopped daemon is shown, with the last known state', async () => {
  const { page, daemon } = await openServed(await incrementalDatabase());
  await untilVerdict(page, /^All statistics are exact/);
  daemon.kill('SIGTERM');
  await untilVerdict(page, /^The daemon is not responding\.$/);
  expect(await page.locator('#verdict-details').textContent()).toMatch(
    /^What you see below is as of \d\d:\d\d:\d\d UTC\./,
  );
  await page.locator('[data-job="update_counts"]').waitFor();
});

test('the legacy state is shown, with everything but runs', async () => {
  const { page, problems } = await openServed(await databaseWithRows());
  await untilVerdict(page, /^All statistics are as of \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);
  await page.getByText('This database keeps no record of runs').waitFor();
  await page.locator('.tables table').first().waitFor();
  expect(await page.locator('#verdict-details').textContent()).toContain(
    '`registry-stats migrate` makes them exact.',
  );
  await takeShot(page, 'state-001');
  expect(problems).toEqual([]);
});

test('markup in names and reasons is text', async () => {
  const markup = '<img src="x" onerror="window.isHacked = true">';
  const target = await incrementalDatabase();
  await target.query('update public.institutions set name = $1 where id = 4', [markup]);
  const { daemon, url } = await startServing(target);
  await breakRefresh(target);
  await target.query(
    `create or replace function registry_stats.due_views(job text) returns text[]
    language plpgsql stable set search_path = pg_catalog, pg_temp
    as $$ begin raise exception '%', '${markup}'; end $$`,
  );
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const { page, problems } = await openPage(url);

  for (const place of ['#verdict-details', '#run-rows', '#job-cards', '.legend', '.tables']) {
    await page.locator(place).getByText(markup).first().waitFor();
  }
  expect(await page.locator('img').count()).toBe(0);
  expect(await page.evaluate("'isHacked' in window")).toBe(false);
  expect(problems).toEqual([]);
});

test('a name with direction marks or of great length does not break the page', async () => {
  const target = await incrementalDatabase();
  const name = `\u202eevil\u2066\u200f\u001b[2J\n\u2028${'x'.repeat(10_000)}`;
  await target.query('update public.institutions set name = $1 where id = 4', [name]);
  const { page, problems } = await openServed(target);
  await page.locator('.tables').getByText('evil').first().waitFor();

  const text = (await page.locator('body').textContent()) ?? '';
  expect(text).not.toMatch(/[\p{Bidi_Control}\u001b\u2028]/u);
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(1280);
  expect(await findAxeViolations(page)).toEqual([]);
  expect(problems).toEqual([]);
});

test('filters and paging work with the keyboard, and the focus stays', async () => {
  const target = await incrementalDatabase();
  await insertRuns(target, 500);
  const { page } = await openServed(target);
  await page.getByText('50 newest runs; there are older ones.').waitFor();
  await tabTo(page, 'filter-outcome');
  await page.keyboard.type('fail');
  await page.getByText('All 5 matching runs on record.').waitFor();
  expect(await page.locator('#run-rows .badge').allTextContents()).toEqual(Array(5).fill('failed'));

  await page.keyboard.press('Home');
  await page.getByText('50 newest runs; there are older ones.').waitFor();
  await tabTo(page, 'older');
  await page.keyboard.press('Enter');
  await page.getByText('50 older runs; there are older ones.').waitFor();
  expect(await focused(page)).toBe('older');
});

async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 40; presses++) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`expected to reach #${id} by Tab`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement?.id ?? ''");
}

test('a new run is shown without a reload', async () => {
  const target = await incrementalDatabase();
  const { page, daemon, problems } = await openServed(target);
  await untilVerdict(page, /^All statistics are exact/);
  await page.evaluate("document.body.setAttribute('data-same-page', '')");
  await target.query(`insert into public.work_items
      (created_at, updated_at, action, retry, institution_id)
    values (now(), now(), 'Brand New Action', false, 2)`);
  await page
    .locator('#verdict-details')
    .getByText('1 change since then will be in the figures after the run')
    .waitFor();
  daemon.kill('SIGUSR2');

  await page.locator('#run-rows').getByText('signal').first().waitFor();
  await page.locator('.tables').getByText('Brand New Action').waitFor();
  await page.locator('#verdict-details').getByText('Nothing is pending.').waitFor();
  expect(await page.locator('body[data-same-page]').count()).toBe(1);
  expect(problems).toEqual([]);
});

test.for(['light', 'dark'] as const)('axe-core finds nothing in %s', async (colorScheme) => {
  const target = await grownDatabase();
  await insertRuns(target, 300);
  const { url } = await startServing(target);
  const { page } = await openPage(url, { colorScheme });
  await page.locator('.tables table').first().waitFor();
  for (const summary of await page.locator('summary').all()) await summary.click();
  expect(await findAxeViolations(page)).toEqual([]);
  await takeShot(page, colorScheme);
});

test('on a phone the page is not wider than the screen', async () => {
  const target = await grownDatabase();
  await insertRuns(target, 300);
  const { url } = await startServing(target);
  const { page } = await openPage(url, { width: 375 });
  await page.locator('.tables table').first().waitFor();
  await takeShot(page, 'phone');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  expect(await findAxeViolations(page)).toEqual([]);
});
