import { expect, test } from 'vitest';
import { openPage, takeShot } from '../support/browser.js';
import { databaseWithRows, untilRuns } from '../support/runs.js';
import {
  breakRefresh,
  grownDatabase,
  incrementalDatabase,
  insertRuns,
  openServed,
  startServing,
  untilShown,
  untilVerdict,
} from '../support/served-page.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase } from '../support/test-database.js';

const isFresh = /^All statistics are exact as of \d\d:\d\d UTC\.$/;

test('a healthy daemon: the page shows since when, the figures, jobs and runs', async () => {
  const { page, daemon, problems } = await openServed(await grownDatabase());
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  await untilVerdict(page, isFresh);
  await untilShown(page);

  expect(await page.locator('#verdict-details').textContent()).toMatch(/^Nothing is pending\./);
  expect(await page.locator('#verdict-more').isHidden()).toBe(true);
  expect(await page.title()).toBe('✓ registry-stats');
  expect(await page.locator('#database').textContent()).toMatch(/^registry_stats_test_.* on /);
  await expect
    .poll(() => page.locator('[data-job] .state.good').allTextContents(), { timeout: 15_000 })
    .toEqual(Array(3).fill('Current'));
  expect(await page.locator('#run-rows tbody tr:not(.day)').count()).toBe(3);
  await takeShot(page, 'fresh');
  expect(problems).toEqual([]);
});

test('sizes are the same in the headline, the chart, its legend and both tables', async () => {
  const target = await grownDatabase();
  const { page } = await openServed(target);
  await untilShown(page);
  const texts = await Promise.all(
    [
      '.legend tr.sum td >> nth=0',
      '#institution-table .total .c-stored',
      '#option-table .total .c-stored',
    ].map((place) => page.locator(place).textContent()),
  );
  const numbers = texts.map((text) => /^[\d.,]+/.exec(text ?? '')?.[0]);
  expect(new Set(numbers).size).toBe(1);
  const unit = await page.locator('.first-key small').textContent();
  expect(await page.locator('.plot .reading').textContent()).toBe(
    `${numbers[0] ?? ''} ${unit ?? ''}`,
  );
  const [total] = await target.query<{ bytes: string }>(
    `select total_bytes::text as bytes
    from public.current_deposit_stats
    where institution_id is null and storage_option = 'Total'`,
  );
  const title = await page.locator('.first-key .value span').getAttribute('title');
  expect(title?.replace(/\D/g, '')).toBe(total?.bytes);
  const growth = await page.locator('#institution-table .total .c-growth').textContent();
  await page.getByRole('button', { name: '1 year' }).click();
  expect(await page.locator('#history-note').textContent()).toContain(`${growth ?? '?'} `);
  expect(await page.locator('.first-key .grow').textContent()).toContain(growth);
});

test('a failing job is named, with its error, the time of its figures, and what to do', async () => {
  const target = await incrementalDatabase();
  const { daemon, url } = await startServing(target);
  await breakRefresh(target);
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const { page, problems } = await openPage(url);
  await untilVerdict(page, /^Not updated since \d\d:\d\d UTC: counts, current deposits\.$/);

  const more = page.locator('#verdict-more');
  expect(await more.locator('.facts').textContent()).toContain('no space left on device');
  expect(await more.locator('.command code').textContent()).toBe(
    'registry-stats refresh update_counts update_current_deposit_stats',
  );
  expect(await page.locator('[data-job="update_counts"] .state').textContent()).toMatch(
    /^Failing since \d\d:\d\d UTC$/,
  );
  expect(await page.locator('#counts-note').textContent()).toMatch(/^Not updated since \d\d:\d\d/);
  await page.locator('#run-rows .outcome.failed').first().waitFor();
  expect(await page.title()).toBe('✗ registry-stats');
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
  await untilVerdict(page, isFresh);

  await page.getByText('No run on record yet. The first run starts with the daemon.').waitFor();
  await page.getByText('Nothing is stored yet, so there is no history to show.').waitFor();
  await page.getByText('No institution has deposits yet.').waitFor();
  expect(await page.getByText('None on record.').count()).toBe(4);
  await takeShot(page, 'empty');
  expect(problems).toEqual([]);
});

test('of 10,000 runs the page shows the newest, and older ones on request', async () => {
  const target = await incrementalDatabase();
  await insertRuns(target, 10_000);
  const { page, url, problems } = await openServed(target);
  await untilShown(page);
  await page.getByText(/^The newest 15\./).waitFor();
  await page
    .getByText(/^30 runs in .* · median/)
    .first()
    .waitFor();
  await page.getByRole('button', { name: 'Older runs' }).click();
  await page.getByText(/^The newest 40\./).waitFor();
  expect(await page.evaluate<string>("document.activeElement?.id ?? ''")).toBe('older');
  const csv = await (await fetch(`${url}/api/csv/runs.csv`)).text();
  expect(csv.split('\r\n').length).toBe(10_002);
  await takeShot(page, 'ten-thousand-runs');
  expect(problems).toEqual([]);
});

test('a lost database, and one that is back, are shown without a reload', async () => {
  const target = await incrementalDatabase();
  const proxy = await startTcpProxy();
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), RETRY_ATTEMPTS: '0' };
  const { page } = await openServed(target, way);
  await untilVerdict(page, isFresh);
  await untilShown(page);
  await proxy.cut();
  await untilVerdict(page, /^The database (is|has been) unreachable or read-only/);
  expect(await page.locator('#verdict-more').textContent()).toContain('pg_isready -h 127.0.0.1');
  const states = page.locator('[data-job] .state');
  expect(await states.allTextContents()).toEqual(Array(3).fill('Last known: current'));
  expect(await page.locator('#deposits-note').textContent()).toMatch(/^Last known, as of/);
  await takeShot(page, 'database-away');

  await proxy.restore();
  await untilVerdict(page, isFresh);
  expect(await states.allTextContents()).toEqual(Array(3).fill('Current'));
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
  await untilVerdict(page, isFresh);
  await untilShown(page);
  daemon.kill('SIGTERM');
  await untilVerdict(page, /^The daemon is not responding\.$/);
  expect(await page.locator('#verdict-details').textContent()).toMatch(
    /^What you see below is as of \d\d:\d\d UTC\./,
  );
  expect(await page.locator('#verdict-more code').allTextContents()).toEqual([
    'registry-stats health',
    'registry-stats start',
  ]);
  await page.locator('[data-job="update_counts"]').waitFor();
});

test('the legacy state is shown, with everything but runs', async () => {
  const { page, problems } = await openServed(await databaseWithRows());
  await untilVerdict(page, /^All statistics are as of \d\d:\d\d UTC\.$/);
  await page.getByText('This database keeps no record of runs').waitFor();
  await untilShown(page);
  expect(await page.locator('#verdict-details').textContent()).toContain(
    'registry-stats migrate makes them exact.',
  );
  await takeShot(page, 'legacy');
  expect(problems).toEqual([]);
});

test('markup in names and reasons is text', async () => {
  const markup = '<img src="x" onerror="window.isHacked = true">';
  const target = await incrementalDatabase();
  await target.query('update public.institutions set name = $1 where id = 4', [markup]);
  const { daemon, url } = await startServing(target);
  await breakRefresh(target, markup);
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const { page, problems } = await openPage(`${url}?by=institution`);

  for (const place of ['#verdict', '#run-rows', '#jobs', '.legend', '#institution-table']) {
    await page.locator(place).getByText(markup).first().waitFor();
  }
  expect(await page.locator('main img').count()).toBe(0);
  expect(await page.evaluate("'isHacked' in window")).toBe(false);
  expect(problems).toEqual([]);
});

test('a new run is shown without a reload', async () => {
  const target = await incrementalDatabase();
  const { page, daemon, problems } = await openServed(target);
  await untilVerdict(page, isFresh);
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
  await page.locator('#count-cards').getByText('Brand New Action').waitFor();
  await page.locator('#verdict-details').getByText('Nothing is pending.').waitFor();
  expect(await page.locator('body[data-same-page]').count()).toBe(1);
  expect(problems).toEqual([]);
});
