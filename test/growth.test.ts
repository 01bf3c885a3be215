import { expect, test } from 'vitest';
import { growthOf, growthSince } from '../src/status/growth.js';

const months = Array.from({ length: 24 }, (_, index) =>
  new Date(Date.UTC(2025, index, 1)).toISOString().slice(0, 10),
);

test('growth counts from the firsts of months nearest to a month and to a year ago', () => {
  const since = (now: string) => growthSince(months, new Date(`${now}T14:00:00Z`));
  expect(since('2026-11-25')).toEqual({ month: '2026-11-01', year: '2025-12-01' });
  expect(since('2026-11-05')).toEqual({ month: '2026-10-01', year: '2025-11-01' });
  expect(since('2026-01-01')).toEqual({ month: '2025-12-01', year: '2025-01-01' });
  expect(since('2026-03-31')).toEqual({ month: '2026-03-01', year: '2025-04-01' });
});

test('growth is unknown where the history does not go back so far', () => {
  expect(growthSince(months, new Date('2025-02-20T00:00:00Z'))).toEqual({
    month: '2025-02-01',
    year: null,
  });
  expect(growthOf(10, [1, 2, 3], months, null)).toBe(null);
  expect(growthOf(10, [1, 2, 3], months, '2026-09-01')).toBe(null);
  expect(growthOf(10, [1, 2, 3], months, '2026-10-01')).toBe(9);
  expect(growthOf(10, [1, 2, 3], months, '2026-12-01')).toBe(7);
});
