import type { Figures, Series } from '../../status/figures-model.js';
import { formatMonth } from './format.js';

export interface ShownSeries {
  readonly name: string;
  /** Number of its colour. */
  readonly place: number;
  readonly isOther: boolean;
  /** Bytes at each moment. */
  readonly values: readonly number[];
}

/** The stored bytes on the first of each month, and now as the last moment. */
export interface HistoryModel {
  readonly moments: readonly Date[];
  readonly labels: readonly string[];
  readonly series: readonly ShownSeries[];
  readonly total: readonly number[];
}

/** The last colour is for the sum of the others. */
const otherPlace = 8;

export function createHistoryModel(
  { history, deposits }: Figures,
  by: 'option' | 'institution',
  now: Date,
): HistoryModel {
  const series = by === 'option' ? history.byStorageOption : history.byInstitution;
  const all = by === 'option' ? deposits.byStorageOption : deposits.byInstitution;
  const others = Math.max(1, all.length - otherPlace);
  return {
    moments: [...history.months.map((month) => new Date(month)), now],
    labels: [...history.months.map(formatMonth), 'Now'],
    series: series.map((one, place) => {
      const isOther = place === otherPlace;
      const name = isOther ? `${others} ${one.name}` : one.name;
      return { name, place, isOther, values: valuesOf(one) };
    }),
    total: [...history.total.bytes, deposits.total?.bytes ?? 0],
  };
}

function valuesOf({ bytes, now }: Series): number[] {
  return [...bytes, now];
}

/** Returns the first moment of a range. One year begins where "12 months" does. */
export function startOf(
  range: '1' | '5' | 'all',
  { months }: Figures['history'],
  yearAgo: string | null,
  total: readonly number[],
): number {
  if (range === 'all') return Math.max(0, total.findIndex((bytes) => bytes > 0) - 1);
  if (yearAgo === null) return 0;
  const year = Number(yearAgo.slice(0, 4)) - (range === '5' ? 4 : 0);
  return Math.max(0, months.indexOf(`${year}${yearAgo.slice(4)}`));
}

/** Returns the sums of the shown series at each moment, from the lowest band up. */
export function stack(series: readonly ShownSeries[], length: number): number[][] {
  const tops: number[][] = [];
  let below: number[] = Array.from({ length }, () => 0);
  for (const { values } of series) {
    below = below.map((bytes, index) => bytes + (values[index] ?? 0));
    tops.push(below);
  }
  return tops;
}
