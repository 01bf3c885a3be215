import { loadCsv } from '../support/load-csv.js';
import type { TestDatabase } from '../support/test-database.js';

/** Renames an institution, and moves the sequences away from the fixed ids. */
export async function prepareRows({ database, query }: TestDatabase): Promise<void> {
  await loadCsv(database);
  await query(
    `insert into public.institutions (id, name, identifier, created_at, updated_at,
      receiving_bucket, restore_bucket)
    select 7, name, 'twin.edu', now(), now(), 'r7', 's7' from public.institutions where id = 3`,
  );
  for (const table of ['generic_files', 'intellectual_objects', 'premis_events', 'work_items']) {
    await query(`alter sequence public.${table}_id_seq restart 1000`);
  }
}
