import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Status } from '../../src/status/model.js';
import { findAxeViolations, openPage, takeShot } from '../support/browser.js';
import {
  grownDatabase,
  insertRuns,
  startServing,
  untilShown,
  untilVerdict,
} from '../support/served-page.js';
import { stateSentences, statusIn, type PageState } from './page-states.js';

async function serveGrown(): Promise<string> {
  const target = await grownDatabase();
  await insertRuns(target, 300);
  const { url } = await startServing(target);
  return url;
}

/** Makes the page receive the status of another state, the one returned by `current`. */
function showStates(current: () => PageState): (page: Page) => Promise<unknown> {
  return (page) =>
    page.route('**/api/status', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ json: statusIn(current(), (await response.json()) as Status) });
    });
}

function widthOf(page: Page): Promise<number> {
  return page.evaluate<number>('document.documentElement.scrollWidth');
}

const states = Object.keys(stateSentences) as PageState[];

const looks = [
  { colorScheme: 'light', width: 1440 },
  { colorScheme: 'dark', width: 390 },
] as const;

for (const { colorScheme, width } of looks) {
  test(`axe-core finds nothing in any state: ${colorScheme}, ${width} px`, async () => {
    await expectNoViolations(colorScheme, width);
  }, 240_000);
}

async function expectNoViolations(colorScheme: 'light' | 'dark', width: number): Promise<void> {
  let state: PageState = 'fresh';
  const prepare = showStates(() => state);
  const { page, problems } = await openPage(await serveGrown(), { colorScheme, width, prepare });
  for (state of states) {
    await page.reload();
    await untilVerdict(page, new RegExp(`^${stateSentences[state].replace('.', '\\.')}`));
    await untilShown(page);
    for (const button of await page.locator('.fold-button:visible').all()) await button.click();
    expect([state, await findAxeViolations(page)]).toEqual([state, []]);
    expect([state, await widthOf(page)]).toEqual([state, width]);
    await takeShot(page, `${state}-${width}-${colorScheme}`);
  }
  expect(problems).toEqual([]);

  // The browser reports the failed requests of the last state as problems.
  await page.route('**/api/**', (route) => route.abort());
  await untilVerdict(page, /^The daemon is not responding\./);
  expect(await findAxeViolations(page)).toEqual([]);
  expect(await widthOf(page)).toBe(width);
  await takeShot(page, `lost-${width}-${colorScheme}`);
}

test('on a phone the page is not wider than the screen, and not many screens high', async () => {
  const { page } = await openPage(await serveGrown(), { width: 390 });
  await untilShown(page);
  expect(await widthOf(page)).toBe(390);
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  expect(height).toBeLessThan(4_600);
  await page.getByRole('button', { name: 'Show counts' }).click();
  expect(await page.locator('#count-cards').isVisible()).toBe(true);
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  expect(await page.locator('#run-rows').isVisible()).toBe(true);
  const growth = page.locator('#institution-table .c-growth').nth(1);
  expect(await growth.isVisible()).toBe(true);
  await takeShot(page, 'phone');
});

test('with text of 200 %, in forced colours and on a small screen nothing is cut off', async () => {
  const url = await serveGrown();
  const { page } = await openPage(url, { width: 1280, forcedColors: 'active' });
  await untilShown(page);
  await takeShot(page, 'forced-colours');
  const { page: large } = await openPage(url, { width: 1280, fontSize: 32 });
  await untilShown(large);
  expect(await widthOf(large)).toBe(1280);
  await takeShot(large, 'text-200');
  const { page: small } = await openPage(url, { width: 320 });
  await untilShown(small);
  expect(await widthOf(small)).toBe(320);
});

test('paper shows all institutions, and neither controls nor runs', async () => {
  const { page } = await openPage(await serveGrown());
  await untilShown(page);
  await page.emulateMedia({ media: 'print' });
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  const shown = await page.locator('#institutions-note').textContent();
  const rows = await page.locator('#institution-table tbody tr:not(.total)').count();
  expect(shown).toContain(`${rows} with deposits`);
  for (const hidden of ['#runs', '.tools >> nth=0', 'header nav']) {
    expect([hidden, await page.locator(hidden).isVisible()]).toEqual([hidden, false]);
  }
  await takeShot(page, 'print');
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
  expect(await page.locator('#institution-table tbody tr:not(.total)').count()).toBe(10);
});

/** Where to write the picture; undefined: it is only taken. */
const picture = process.env['PAGE_PICTURE'];

test('the picture of the README', async () => {
  const installation = {
    programVersion: '1.0.0',
    environment: 'staging',
    databaseName: 'registry',
    databaseHost: 'staging-db',
  };
  const prepare = (page: Page) =>
    page.route('**/api/status', async (route) => {
      const status = (await (await route.fetch()).json()) as Status;
      const nextRun = new Date(Date.now() + 3_600_000).toISOString();
      await route.fulfill({ json: statusIn('fresh', { ...status, installation, nextRun }) });
    });
  const { page } = await openPage(await serveGrown(), { width: 1200, prepare });
  await untilShown(page);
  const clip = { x: 0, y: 0, width: 1200, height: 640 };
  await page.screenshot({ ...(picture === undefined ? {} : { path: picture }), clip });
});
