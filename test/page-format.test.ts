import { expect, test } from 'vitest';
import { formatBytes } from '../src/terminal/format-bytes.js';
import { parseChoices, toQuery } from '../src/http/page/choices.js';
import {
  formatAge,
  formatChange,
  formatDuration,
  formatNumber,
  formatPercent,
  formatPrice,
} from '../src/http/page/format.js';
import { groupRuns } from '../src/http/page/run-groups.js';
import { sortDeposits } from '../src/http/page/sort-deposits.js';
import { unitOf } from '../src/http/page/unit.js';
import { outcomeWords } from '../src/http/page/words.js';
import { ZonedTime } from '../src/http/page/zone.js';
import { runOutcomes } from '../src/status/run-history.js';
import type { DepositFigure } from '../src/status/figures-model.js';
import type { RunRecord } from '../src/status/model.js';

const now = new Date('2026-03-01T10:42:12Z');

test('bytes have binary units', () => {
  expect([0, 1_023, 1_024, 1.5 * 2 ** 40, 150 * 2 ** 30].map(formatBytes)).toEqual([
    '0 bytes',
    '1023 bytes',
    '1.00 KiB',
    '1.50 TiB',
    '150 GiB',
  ]);
});

test('durations, ages, changes and prices are short', () => {
  expect([0, 999, 1_500, 59_000, 61_000, 7_260_000].map(formatDuration)).toEqual([
    '0 ms',
    '999 ms',
    '1.5 s',
    '59 s',
    '1 min 1 s',
    '2 h 1 min',
  ]);
  expect(formatAge('2026-03-01T10:42:00.000Z', now)).toBe('12 s ago');
  expect(formatAge('2026-03-01T11:00:00.000Z', now)).toBe('in 17 min');
  expect([5, -5, 0, 0.2].map((change) => formatChange(change, formatNumber))).toEqual([
    '+5',
    '−5',
    '0',
    '0',
  ]);
  expect(formatPercent(0.1234)).toBe('12.3 %');
  expect([0.41016, 0.023, 0.0059].map(formatPrice)).toEqual(['$0.41016', '$0.023', '$0.0059']);
});

test('every size on the page has the unit and the digits of the total', () => {
  const terabyte = 2 ** 40;
  expect(unitOf(9.281 * terabyte).formatWithName(0.5 * 2 ** 30)).toBe('0.000 TiB');
  expect(unitOf(9.281 * terabyte).formatWithName(9.281 * terabyte)).toBe('9.281 TiB');
  expect(unitOf(512.3 * terabyte).formatWithName(0.25 * terabyte)).toBe('0.25 TiB');
  expect(unitOf(2_048 * terabyte).formatWithName(2_048 * terabyte)).toBe('2,048.00 TiB');
  expect(unitOf(1_500_000).name).toBe('MiB');
  expect(unitOf(2 ** 20).name).toBe('MiB');
  expect(unitOf(12).formatWithName(12)).toBe('12 bytes');
  expect(unitOf(0).name).toBe('GiB');
});

test('times are in one zone, and the exact time has UTC too', () => {
  const utc = new ZonedTime('utc');
  const moment = new Date('2025-12-31T23:59:04Z');
  expect(utc.clock(now, now)).toBe('10:42');
  expect(utc.clock(moment, now)).toBe('Wed 31 Dec 2025 23:59');
  expect(utc.name(now)).toBe('UTC');
  expect(utc.exact(moment, now)).toBe('2025-12-31 23:59:04 UTC');
});

test('the address has what differs from the default, and ignores what is not allowed', () => {
  const choices = parseChoices('?by=institution&only=A&only=B%26C&sort=-growth&zone=utc&range=9');
  expect(choices).toMatchObject({
    by: 'institution',
    only: ['A', 'B&C'],
    sort: '-growth',
    zone: 'utc',
    range: 'all',
  });
  expect(toQuery(choices)).toBe('?by=institution&sort=-growth&zone=utc&only=A&only=B%26C');
  expect(toQuery(parseChoices('?sort=x%20y&by=none'))).toBe('');
});

test('every outcome on record has a word', () => {
  expect(Object.keys(outcomeWords).sort()).toEqual([...runOutcomes].sort());
});

const runOf = (id: number, outcome: string, startedAt: string) =>
  ({ id: String(id), outcome, startedAt }) as RunRecord;

test('runs of one day that did nothing are summed up', () => {
  const runs = [
    runOf(5, 'skipped', '2026-03-01T10:00'),
    runOf(4, 'skipped', '2026-03-01T09:00'),
    runOf(3, 'skipped', '2026-02-28T09:00'),
    runOf(2, 'refreshed', '2026-02-28T08:00'),
    runOf(1, 'skipped', '2026-02-28T07:00'),
  ];
  const sizes = (isSummedUp: boolean) =>
    groupRuns(runs, ({ startedAt }) => startedAt.slice(0, 10), isSummedUp).map(
      ({ runs: group }) => group.length,
    );
  expect(sizes(true)).toEqual([2, 1, 1, 1]);
  expect(sizes(false)).toEqual([1, 1, 1, 1, 1]);
});

test('deposits sort by each column, and what is new has grown most', () => {
  const rows = [
    { name: 'B', bytes: 10, yearGrowth: 10 },
    { name: 'Ĉ', bytes: 30, yearGrowth: 5 },
    { name: 'A', bytes: 20, yearGrowth: null },
  ] as DepositFigure[];
  const namesBy = (sort: string) =>
    sortDeposits(rows, sort)
      .map(({ name }) => name)
      .join('');
  expect(namesBy('-bytes')).toBe('ĈAB');
  expect(namesBy('name')).toBe('ABĈ');
  expect(namesBy('-growth')).toBe('BĈA');
  expect(namesBy('-percent')).toBe('BĈA');
  expect(namesBy('-constructor')).toBe('ĈAB');
});
