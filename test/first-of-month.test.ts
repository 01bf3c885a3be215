import { expect, test } from 'vitest';
import { findDateFault } from '../src/commands/first-of-month.js';

const now = new Date('2026-03-15T12:00:00Z');
const form = 'expected the first day of a month, like 2024-01-01; found';
const before = 'is before the history, which begins on 2014-01-01; use that for all of it';

test.each([
  ['yesterday', `${form} "yesterday"`],
  ['', `${form} ""`],
  ['2024-1-1', `${form} "2024-1-1"`],
  ['2024-01', `${form} "2024-01"`],
  ['2024-01-01T00:00:00Z', `${form} "2024-01-01T00:00:00Z"`],
  ['01/02/2024', `${form} "01/02/2024"`],
  ['٢٠٢٤-٠١-٠١', `${form} "٢٠٢٤-٠١-٠١"`],
  [`2024-01-01\n`, `${form} "2024-01-01\\n"`],
  ['2024-13-01', '2024-13-01 does not exist: a year has the months 01 to 12'],
  ['2024-00-01', '2024-00-01 does not exist: a year has the months 01 to 12'],
  ['2024-02-31', '2024-02-31 does not exist: February 2024 has 29 days'],
  ['2023-02-29', '2023-02-29 does not exist: February 2023 has 28 days'],
  ['2100-02-29', '2100-02-29 does not exist: February 2100 has 28 days'],
  ['2024-04-31', '2024-04-31 does not exist: April 2024 has 30 days'],
  ['2024-01-00', '2024-01-00 does not exist: January 2024 has 31 days'],
  ['0001-01-01', `0001-01-01 ${before}`],
  ['0000-02-29', `0000-02-29 ${before}`],
  ['2013-12-01', `2013-12-01 ${before}`],
  ['2026-04-01', '2026-04-01 is in the future; the last month of the history is 2026-03-01'],
  ['2026-03-16', '2026-03-16 is in the future; the last month of the history is 2026-03-01'],
  ['9999-12-01', '9999-12-01 is in the future; the last month of the history is 2026-03-01'],
  [
    '2026-03-15',
    '2026-03-15 is within a month, and the history has only first days; use 2026-03-01',
  ],
])('%j is refused with the reason', (text, fault) => {
  expect(findDateFault(text, now)).toBe(fault);
});

test.each(['2014-01-01', '2024-02-01', '2026-03-01'])('%s is a month of the history', (text) => {
  expect(findDateFault(text, now)).toBeUndefined();
});
