/**
 * Returns the known name that a mistyped one most likely means, or undefined. It may differ in
 * letter case, in one character, or in two if it is long. It may also be the beginning of one name.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = normalized(word);
  // Two mistakes in a short word are another word.
  const limit = typed.length < 8 ? 1 : 2;
  const [best] = known
    .map((name) => ({ name, distance: editDistance(typed, normalized(name), limit) }))
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance);
  if (best !== undefined) return best.name;
  const [whole, ...more] = known.filter((name) => normalized(name).startsWith(typed));
  return typed.length >= shortestBeginning && more.length === 0 ? whole : undefined;
}

const shortestBeginning = 5;

/** Returns "; did you mean <name>?", or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const name = nearest(word, known);
  return name === undefined ? '' : `; did you mean ${name}?`;
}

function normalized(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/**
 * Returns how many characters to insert, delete, replace, or swap with the next one. Stops counting
 * above the limit, since a word may be very long.
 */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) > limit) return limit + 1;
  let [beforeLast, last]: [number[], number[]] = [[], range(other.length)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (isSame ? 0 : 1),
        isSwapped ? at(beforeLast, j - 2) + 1 : Infinity,
      );
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}

function range(length: number): number[] {
  return Array.from({ length: length + 1 }, (_, index) => index);
}
