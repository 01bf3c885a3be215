import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import type { Figures, Series } from './figures-model.js';

type Reading = Pick<Database, 'read'>;
type Kind = 'storage_option' | 'institution';

/** How many series the page shows; the smaller ones are added up. */
const shownSeries = 8;

interface MonthRow extends Record<string, unknown> {
  readonly month: string;
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
  readonly monthlyCost: number | null;
}

/** Reads the totals of each month, and the bytes by storage option and by institution. */
export async function readHistory(database: Reading): Promise<Figures['history']> {
  const months = await readMonths(database);
  return {
    months: months.map(({ month }) => month),
    total: {
      objects: months.map(({ objects }) => objects),
      files: months.map(({ files }) => files),
      bytes: months.map(({ bytes }) => bytes),
      monthlyCost: months.map(({ monthlyCost }) => monthlyCost),
    },
    byStorageOption: await readSeries(database, 'storage_option', shownSeries),
    byInstitution: await readSeries(database, 'institution', shownSeries),
  };
}

/** Reads the totals of all institutions on the first of each month. */
export async function readMonths(database: Reading): Promise<MonthRow[]> {
  return database.read<MonthRow>(await readQuery('monthly_totals'));
}

/** Reads the `shown` largest series, and the sum of the others as one more. */
export async function readSeries(database: Reading, kind: Kind, shown: number): Promise<Series[]> {
  const others = kind === 'institution' ? 'other institutions' : 'other options';
  const rows = await database.read<{ name: string; bytes: number[] }>(
    await readQuery('deposit_history'),
    [kind, shown, others],
  );
  return rows.map(({ name, bytes }) => ({
    name,
    bytes: bytes.slice(0, -1),
    now: bytes.at(-1) ?? 0,
  }));
}
