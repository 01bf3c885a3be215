/** Returns the growth as a share of the bytes before: infinite for what is new. */
export function growthShare(bytes: number, yearGrowth: number | null): number | null {
  if (yearGrowth === null) return null;
  const before = bytes - yearGrowth;
  if (before === 0) return yearGrowth === 0 ? 0 : Infinity;
  return yearGrowth / before;
}
