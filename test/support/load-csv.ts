import path from 'node:path';
import type { Database } from '../../src/db/database.js';
import { sqlRoot } from '../../src/schema/sql-files.js';
import { loadFixtures } from '../../src/dev/fixtures.js';

export const fixturesFolder = path.join(sqlRoot, 'fixtures');

/** Loads the fixtures, or other CSV files, into a migrated database. */
export async function loadCsv(database: Database, folder = fixturesFolder): Promise<void> {
  const options = { statementTimeoutMs: 0, lockTimeoutMs: 5_000 };
  await database.write(options, (transaction) => loadFixtures(transaction, folder));
}
