import { accessSync, constants } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly timezoneId?: string;
  readonly forcedColors?: 'active' | 'none';
  /** The reader's own text size in pixels; 16 by default. */
  readonly fontSize?: number;
  /** Called before the page is opened. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** An open page with its errors: exceptions, blocked contents, 404s. */
export interface OpenPage {
  readonly page: Page;
  readonly problems: readonly string[];
}

/** Opens a page in its own Chromium. Closes it with the test. */
export async function openPage(
  url: string,
  {
    colorScheme = 'light',
    width = 1280,
    timezoneId = 'UTC',
    forcedColors = 'none',
    fontSize = 16,
    prepare,
  }: PageOptions = {},
): Promise<OpenPage> {
  const browser = await chromium.launch({
    executablePath: findChromium(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'].concat([
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--blink-settings=defaultFontSize=${fontSize}`,
    ]),
  });
  onTestFinished(() => browser.close());
  const page = await browser.newPage({
    ...{ colorScheme, timezoneId, forcedColors },
    viewport: { width, height: 900 },
  });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  await prepare?.(page);
  await page.goto(url);
  return { page, problems };
}

/** Returns axe-core's violations of WCAG and good practice, as "rule: element". */
export async function findAxeViolations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axeFile, 'utf8'));
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: { html: string }[] }[];
}

/** Saves a picture of the page if PAGE_SHOTS names a folder. */
export async function takeShot(page: Page, name: string): Promise<void> {
  const folder = process.env['PAGE_SHOTS'];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

/** Returns CHROMIUM or the first usual name on PATH. Throws without a browser. */
function findChromium(): string {
  const given = process.env['CHROMIUM'];
  if (given !== undefined && given !== '') return given;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders
    .flatMap((folder) => names.map((name) => path.join(folder, name)))
    .find(isExecutable);
  if (found === undefined) {
    throw new Error('expected a Chromium on PATH, or its file in CHROMIUM, found none');
  }
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
