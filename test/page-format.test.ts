import { expect, test } from 'vitest';
import { formatAge, formatBytes, formatDuration, formatTime } from '../src/http/page/format.js';

const now = new Date('2026-03-01T10:42:12Z');

test('bytes, durations, times and ages are short', () => {
  expect([0, 1_023, 1_024, 1.5 * 2 ** 40, 150 * 2 ** 30].map(formatBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.00 KiB',
    '1.50 TiB',
    '150 GiB',
  ]);
  expect([0, 999, 1_500, 59_000, 61_000, 7_260_000].map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1.5 s',
    '59 s',
    '1 min 1 s',
    '2 h 1 min',
  ]);
  expect(formatTime('2025-12-31T23:59:00.000Z', now)).toBe('31 Dec 2025 23:59 UTC');
  expect(formatAge('2026-03-01T10:42:00.000Z', now)).toBe('12 s ago');
  expect(formatAge('2026-03-01T11:00:00.000Z', now)).toBe('in 17 min');
});
