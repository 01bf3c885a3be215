import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { comparisonLineTo, describeProgress, progressLineTo } from '../src/terminal/progress.js';
import { parseProgress, type Progress } from '../src/progress.js';
import { rebuildSource } from '../src/statistics/rebuild.js';
import { verify } from '../src/statistics/verify.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase } from './support/test-database.js';

const half: Progress = { subject: 'generic_files', done: 500, total: 1000, unit: 'blocks' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progress, speed and time left', () => {
  test.each([
    ['0 %', { ...half, done: 0 }, 0],
    ['50 %, 1.95 MiB/s, 2 s left', half, 2_000],
    ['50 %, 250 rows/s, 2 s left', { ...half, unit: 'rows' as const }, 2_000],
    ['50 %, 8.00 KiB/s, 9 min left', half, 500_000],
    ['100 %, 3.91 MiB/s', { ...half, done: 1000 }, 2_000],
    ['100 %', { ...half, done: 0, total: 0 }, 0],
    ['50 %, 2 s left', { ...half, unit: 'indexes' as const }, 2_000],
  ])('%s', (text, progress, elapsedMs) => {
    expect(describeProgress(progress, elapsedMs)).toBe(text);
  });
});

test('a terminal shows one line, which ends when the work ends', () => {
  const { stderr, written } = output(true);
  const show = progressLineTo({ stderr });
  show({ ...half, done: 0 });
  vi.advanceTimersByTime(1_000);
  show(half);
  vi.advanceTimersByTime(1_000);
  show({ ...half, done: 1000 });
  expect(written.join('')).toBe(
    '\r\u001b[Kgeneric_files: 0 %' +
      '\r\u001b[Kgeneric_files: 50 %, 3.91 MiB/s, 1 s left' +
      '\r\u001b[Kgeneric_files: 100 %, 3.91 MiB/s\n',
  );
});

test('a progress line is never as wide as the terminal', () => {
  const { stderr, written } = output(true, 20);
  progressLineTo({ stderr })({ ...half, subject: 'intellectual_objects' });
  expect(written).toEqual(['\r\u001b[Kintellectual_objec…']);
  comparisonLineTo({ stderr })(half);
  expect(written[1]).toBe('verifying generic_…\n');
});

test('an empty table has no progress line', () => {
  const { stderr, written } = output(true);
  progressLineTo({ stderr })({ ...half, done: 0, total: 0 });
  expect(written).toEqual([]);
});

test('other streams get no progress line, and one line per compared table', () => {
  const { stderr, written } = output(false);
  progressLineTo({ stderr })(half);
  comparisonLineTo({ stderr })(half);
  expect(written).toEqual(['verifying generic_files\n']);
});

test('other notices are no progress', () => {
  expect(parseProgress('Sample data: 3 files')).toBeUndefined();
  expect(parseProgress('registry_stats.progress premis_events 1 2 rows')).toEqual({
    subject: 'premis_events',
    done: 1,
    total: 2,
    unit: 'rows',
  });
});

test('a rebuild reports its begin and end, a comparison the work before each table', async () => {
  const { database } = await createTestDatabase();
  const timeouts = { statementTimeoutMs: 60_000, lockTimeoutMs: 5_000 };
  await loadCsv(database);
  const rebuilt: Progress[] = [];
  await rebuildSource(database, 'generic_files', {
    ...timeouts,
    onProgress: (progress) => rebuilt.push(progress),
  });
  expect(rebuilt.map(({ done }) => done)).toEqual([0, rebuilt[0]?.total]);
  expect(rebuilt[0]).toMatchObject({ subject: 'generic_files', unit: 'blocks' });

  const compared: Progress[] = [];
  await verify(database, { onProgress: (progress) => compared.push(progress) });
  expect(compared).toHaveLength(4);
  expect(compared[0]).toMatchObject({ subject: 'generic_files', done: 0 });
  expect(compared[1]?.done).toBe(rebuilt[0]?.total);
  expect(compared[3]?.total).toBeGreaterThan(compared[3]?.done ?? 0);
});

function output(isTTY: boolean, columns = 80) {
  const written: string[] = [];
  const stderr = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, stderr: stderr as unknown as NodeJS.WriteStream };
}
