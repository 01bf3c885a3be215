/** One unit for every size on the page, so that figures can be compared. */
export interface Unit {
  readonly name: string;
  readonly bytes: number;
  /** Returns '2.658': the same digits everywhere. */
  readonly format: (bytes: number) => string;
  /** Returns '2.658 TiB'. */
  readonly formatWithName: (bytes: number) => string;
}

// Steps of 1024, like Registry's gigabytes. Not beyond TiB, which Registry and its prices use.
const names = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** Returns the unit of the total: the largest in which it is at least 1. */
export function unitOf(total: number): Unit {
  const steps = total < 1 ? 3 : Math.floor(Math.log2(total) / 10);
  const power = Math.min(Math.max(steps, 0), names.length - 1);
  const bytes = 1024 ** power;
  const digits = power === 0 ? 0 : total / bytes >= 100 ? 2 : 3;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  const format = (size: number): string => (size / bytes).toLocaleString('en-US', options);
  const name = names[power] ?? 'bytes';
  return { name, bytes, format, formatWithName: (size) => `${format(size)} ${name}` };
}
