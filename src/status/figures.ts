import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { readHistory } from './deposit-history.js';
import { growthOf, growthSince } from './growth.js';
import type {
  CountFigure,
  DepositFigure,
  DepositTotal,
  Figures,
  GrowthSince,
} from './figures-model.js';

type Reading = Pick<Database, 'read'>;

/** More institutions than APTrust will have, and a bound for the answer. */
const mostInstitutions = 500;
const mostOptions = 50;
/** A year, with the month before. */
const recentMonths = 13;

/** Reads the figures themselves, for people: of a bounded size, whatever is stored. */
export async function readFigures(database: Reading): Promise<Figures> {
  const history = await readHistory(database);
  const { months } = history;
  const since = growthSince(months, new Date());
  return {
    version: 1,
    growthSince: since,
    history,
    counts: await readCounts(database),
    deposits: {
      total: await readTotal(database),
      byStorageOption: await readDeposits(database, 'storage_option', months, since),
      byInstitution: await readDeposits(database, 'institution', months, since),
    },
  };
}

/** Reads the rows of each subject by kind. */
export async function readCounts(database: Reading): Promise<CountFigure[]> {
  return database.read<CountFigure & Record<string, unknown>>(await readQuery('counts'));
}

async function readTotal(database: Reading): Promise<DepositTotal | null> {
  const [row] = await database.read<DepositTotal & Record<string, unknown>>(
    await readQuery('deposit_total'),
  );
  return row === undefined || (row.bytes as number | null) === null ? null : row;
}

async function readDeposits(
  database: Reading,
  kind: 'storage_option' | 'institution',
  months: readonly string[],
  since: GrowthSince,
): Promise<DepositFigure[]> {
  const most = kind === 'institution' ? mostInstitutions : mostOptions;
  const rows = await database.read<Omit<DepositFigure, 'yearGrowth'> & Record<string, unknown>>(
    await readQuery('deposits'),
    [kind, most, recentMonths],
  );
  return rows.map((row) => ({
    ...row,
    yearGrowth: growthOf(row.bytes, row.recentBytes, months, since.year),
  }));
}
