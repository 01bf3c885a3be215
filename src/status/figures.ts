import type { Database } from '../db/database.js';
import { readQuery } from '../db/query-file.js';
import { readHistory } from './deposit-history.js';
import type { CountFigure, DepositFigure, Figures } from './model.js';

/** Reads the figures themselves, for people: of a bounded size, whatever is stored. */
export async function readFigures(database: Pick<Database, 'read'>): Promise<Figures> {
  const read = async <Row>(name: string): Promise<Row[]> =>
    database.read<Row & Record<string, unknown>>(await readQuery(name));
  return {
    version: 1,
    history: await readHistory(database),
    counts: await read<CountFigure>('counts'),
    deposits: {
      byStorageOption: await read<DepositFigure>('deposits_by_storage_option'),
      byInstitution: await read<DepositFigure>('deposits_by_institution'),
    },
  };
}
