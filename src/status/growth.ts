import type { GrowthSince } from './figures-model.js';

/**
 * Returns the firsts of months nearest to one and to twelve months before `now`. Growth counts from
 * there on the whole page and in every CSV file, so that all show the same figure.
 * @param months the months of the history
 */
export function growthSince(months: readonly string[], now: Date): GrowthSince {
  const known = (month: string): string | null => (months.includes(month) ? month : null);
  return { month: known(nearestFirst(now, 1)), year: known(nearestFirst(now, 12)) };
}

function nearestFirst(now: Date, monthsAgo: number): string {
  const ago = new Date(now);
  ago.setUTCMonth(ago.getUTCMonth() - monthsAgo);
  const [before, after] = [0, 1].map((offset) =>
    Date.UTC(ago.getUTCFullYear(), ago.getUTCMonth() + offset, 1),
  ) as [number, number];
  const first = ago.getTime() - before <= after - ago.getTime() ? before : after;
  return new Date(first).toISOString().slice(0, 10);
}

/**
 * Returns how much a figure grew since a month.
 * @param recent the figure on the last of `months`, as many as there are
 * @returns null if `recent` does not go back so far
 */
export function growthOf(
  now: number,
  recent: readonly number[],
  months: readonly string[],
  since: string | null,
): number | null {
  if (since === null) return null;
  const before = recent[months.indexOf(since) - (months.length - recent.length)];
  return before === undefined ? null : now - before;
}
