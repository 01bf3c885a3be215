import { showValue } from '../config/masking.js';

/** The first month of the history, as in registry_stats.missing_months(). */
const beginning = '2014-01-01';

/**
 * Returns why the text is not the first day of a month of the history, up to the month of `now` in
 * UTC; undefined if it is. The reason names a date that works.
 */
export function findDateFault(text: string, now: Date): string | undefined {
  const [, year, month = '', day = ''] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year === undefined) {
    return `expected the first day of a month, like 2024-01-01; found ${showValue(text, [])}`;
  }
  if (Number(month) < 1 || Number(month) > 12) {
    return `${text} does not exist: a year has the months 01 to 12`;
  }
  const days = daysOf(Number(year), Number(month));
  if (Number(day) < 1 || Number(day) > days) {
    return `${text} does not exist: ${monthName(Number(month))} ${year} has ${days} days`;
  }
  if (text < beginning) {
    return `${text} is before the history, which begins on ${beginning}; use that for all of it`;
  }
  const today = now.toISOString().slice(0, 10);
  if (text > today) {
    return `${text} is in the future; the last month of the history is ${firstOf(today)}`;
  }
  if (day === '01') return undefined;
  return `${text} is within a month, and the history has only first days; use ${firstOf(text)}`;
}

function firstOf(date: string): string {
  return `${date.slice(0, 7)}-01`;
}

/** Returns the number of days. Date would read the years 0 to 99 as 1900 to 1999. */
function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

function monthName(month: number): string {
  const date = new Date(Date.UTC(2000, month - 1, 1));
  return new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' }).format(date);
}
