import type { DepositFigure } from '../../status/figures-model.js';
import { growthShare } from './growth-share.js';

const values: Readonly<Record<string, (row: DepositFigure) => number>> = {
  bytes: bytesOf,
  files: ({ files }) => files,
  objects: ({ objects }) => objects,
  price: ({ pricePerGb }) => pricePerGb ?? -1,
  cost: ({ monthlyCost }) => monthlyCost ?? -1,
  growth: ({ yearGrowth }) => yearGrowth ?? -Infinity,
  percent: ({ bytes, yearGrowth }) => growthShare(bytes, yearGrowth) ?? -Infinity,
};

/** What a phone's list of orders offers. */
export const orders = [
  ['-bytes', 'Stored'],
  ['name', 'Name'],
  ['-files', 'Files'],
  ['-cost', 'Cost a month'],
  ['-growth', 'Growth in 12 months'],
  ['-percent', 'Growth in percent'],
] as const;

/** Returns the rows by a key, with '-' for descending. An unknown key sorts by bytes. */
export function sortDeposits(rows: readonly DepositFigure[], sort: string): DepositFigure[] {
  const key = sort.replace('-', '');
  const direction = sort.startsWith('-') ? -1 : 1;
  if (key === 'name') {
    return [...rows].sort((one, other) => direction * one.name.localeCompare(other.name, 'en'));
  }
  const valueOf = (Object.hasOwn(values, key) ? values[key] : undefined) ?? bytesOf;
  // Infinity less Infinity is not a number.
  return [...rows].sort((one, other) => {
    const [first, second] = [valueOf(one), valueOf(other)];
    return first === second ? 0 : direction * (first < second ? -1 : 1);
  });
}

function bytesOf({ bytes }: DepositFigure): number {
  return bytes;
}
