import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { findAxeViolations, openPage } from '../support/browser.js';
import {
  grownDatabase,
  incrementalDatabase,
  insertRuns,
  openServed,
  startServing,
  untilShown,
} from '../support/served-page.js';

async function tabTo(page: Page, isThere: string): Promise<void> {
  for (let presses = 0; presses < 80; presses++) {
    if (await page.evaluate<boolean>(`document.activeElement.matches(${JSON.stringify(isThere)})`))
      return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`expected to reach ${isThere} by Tab`);
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>(
    "document.activeElement?.id || document.activeElement?.dataset.name || document.activeElement?.dataset.sort || ''",
  );
}

test('filters, the chart and sorting work with the keyboard, and the focus stays', async () => {
  const target = await grownDatabase();
  await insertRuns(target, 500);
  const { page } = await openServed(target);
  await untilShown(page);
  await tabTo(page, '.plot [role=slider]');
  const slider = page.locator('.plot [role=slider]');
  expect(await slider.getAttribute('aria-valuetext')).toMatch(/^Now: total [\d.,]+ \w+\. /);
  await page.keyboard.press('PageDown');
  expect(await slider.getAttribute('aria-valuetext')).toMatch(/^1 \w{3} \d{4}: total /);
  await page.keyboard.press('Escape');
  expect(await page.locator('.legend thead th').first().textContent()).toBe('Now');

  await tabTo(page, '.legend tbody button');
  const name = await focused(page);
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe(name);
  expect(await page.locator('.band').count()).toBe(1);
  await tabTo(page, '#institution-table [data-sort=name]');
  await page.keyboard.press('Enter');
  expect(await focused(page)).toBe('name');
  expect(await page.locator('#institution-table th[aria-sort]').textContent()).toBe('Institution');

  await tabTo(page, '[data-job=update_counts] [role=slider]');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  expect(await page.locator('[data-job=update_counts] .strip-caption').textContent()).toMatch(
    /^(Refreshed|Nothing to do|Failed|Crashed) · /,
  );
  await tabTo(page, '#filter-outcome');
  await page.keyboard.type('Fail');
  await page.getByText(/^All 5 matching on record\./).waitFor();
  expect(await page.locator('#run-rows .outcome').allTextContents()).toEqual(
    Array(5).fill('Failed'),
  );
  expect(await focused(page)).toBe('filter-outcome');
});

test('what the reader chose is in the address, and a reload shows the same', async () => {
  const { url } = await startServing(await grownDatabase());
  const { page } = await openPage(url, { timezoneId: 'America/New_York' });
  await untilShown(page);
  await page.getByRole('button', { name: 'Institution', exact: true }).first().click();
  await page.getByRole('button', { name: '5 years' }).click();
  await page.locator('#find').fill('institution 1');
  await page.getByRole('button', { name: '12 months, %' }).first().click();
  await page.getByRole('button', { name: 'UTC' }).click();
  expect(new URL(page.url()).search).toBe(
    '?by=institution&range=5&find=institution+1&sort=-percent&zone=utc',
  );
  expect(await page.locator('#verdict-sentence').textContent()).toMatch(/\d\d:\d\d UTC\.$/);
  const before = await page.locator('#institution-table').textContent();
  await page.reload();
  await untilShown(page);
  expect(await page.locator('#institution-table').textContent()).toBe(before);
  expect(await page.locator('[data-range="5"]').getAttribute('aria-pressed')).toBe('true');
  expect(await page.locator('#clock').textContent()).toMatch(/UTC$/);
  await page.getByRole('button', { name: 'Local' }).click();
  expect(await page.locator('#verdict-sentence').textContent()).toMatch(/\d\d:\d\d E[SD]T\.$/);
  expect(await page.locator('#verdict-sentence time').getAttribute('title')).toMatch(/ UTC$/);
});

test('a search shows the sum of what was found, and says if nothing was', async () => {
  const { page } = await openServed(await grownDatabase());
  await untilShown(page);
  await page.locator('#find').fill('institution 2');
  const rows = page.locator('#institution-table tbody tr:not(.total)');
  const count = await rows.count();
  expect(await page.locator('#institution-table .total th').textContent()).toBe(
    `${count} institutions found`,
  );
  const files = await rows.locator('.c-files').allTextContents();
  const sum = files.reduce((total, text) => total + Number(text.replaceAll(',', '')), 0);
  expect(await page.locator('#institution-table .total .c-files').textContent()).toBe(
    sum.toLocaleString('en-US'),
  );
  await page.locator('#find').fill('zzz');
  await page.getByText('No institution has “zzz” in its name.').waitFor();
});

test('runs with nothing to do are summed up, and open on request', async () => {
  const target = await incrementalDatabase();
  await insertRuns(target, 60);
  const { page } = await openServed(target);
  const groups = page.locator('#run-rows .quiet button');
  await groups.first().waitFor();
  const before = await groups.count();
  expect(await groups.first().textContent()).toMatch(/^\d+ runs with nothing to do$/);
  await groups.first().click();
  expect(await groups.count()).toBe(before - 1);
  await page.locator('#sum-up').uncheck();
  expect(await groups.count()).toBe(0);
});

test('a name with direction marks or of great length does not break the page', async () => {
  const target = await incrementalDatabase();
  const name = `\u202eevil\u2066\u200f\u001b[2J\n\u2028${'x'.repeat(10_000)}`;
  await target.query('update public.institutions set name = $1 where id = 4', [name]);
  const { page, problems } = await openServed(target);
  await page.locator('#institution-table').getByText('evil').first().waitFor();

  const text = (await page.locator('body').textContent()) ?? '';
  expect(text).not.toMatch(/[\p{Bidi_Control}\u001b\u2028]/u);
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  expect(width).toBeLessThanOrEqual(1280);
  expect(await findAxeViolations(page)).toEqual([]);
  expect(problems).toEqual([]);
});
