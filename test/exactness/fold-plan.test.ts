import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/test-database.js';
import { loadCsv } from '../support/load-csv.js';
import { expectTruth, runAll } from './two-sessions.js';

// A session keeps the plan of a fold. A plan from empty rollups may read all rollup rows, and all
// changes for each row. Then 40,000 changes take minutes.

const objects = 60_000;
/** Each moves to another storage option: two changes. */
const touched = 20_000;

/** Returns SQL that inserts a file for each object. */
function files(from: number, to: number): string {
  return `insert into public.generic_files
      (identifier, uuid, size, state, institution_id, intellectual_object_id, storage_option,
      created_at, updated_at)
    select 'f' || n, 'u' || n, 7, 'A', 1 + n % 3, n, 'Standard', now(), now()
    from generate_series(${String(from)}, ${String(to)}) as n`;
}

test('a fold planned on empty rollups reads only the rows it changes', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  await target.query('truncate public.generic_files cascade');
  await runAll(target.query);
  await target.query('select registry_stats.rebuild($1)', ['generic_files']);
  for (const table of ['deposit_rollup', 'deposit_total', 'count_rollup', 'delta']) {
    await target.query(`alter table registry_stats.${table} set (autovacuum_enabled = off)`);
    // With statistics of empty tables, a sequential scan seems free.
    await target.query(`vacuum analyze registry_stats.${table}`);
  }
  const session = await target.session();
  // From the sixth call PostgreSQL may keep one plan.
  for (let call = 0; call < 7; call++) {
    await session.query('begin; select registry_stats.fold(); rollback');
  }
  await target.query('set session_replication_role = replica');
  await target.query(files(1_000_000, 1_000_000 + objects - 1));
  await target.query('set session_replication_role = origin');
  await target.query('begin isolation level repeatable read');
  await target.query(`select registry_stats.rebuild('generic_files')`);
  await target.query('commit');
  await target.query(
    `update public.generic_files set storage_option = 'Glacier-VA'
    where intellectual_object_id >= 1000000 and intellectual_object_id < 1000000 + ${String(touched)}`,
  );
  await session.query('begin');
  const { rows } = await session.query<{ folded: string }>(
    'select registry_stats.fold() as folded',
  );
  expect(rows).toEqual([{ folded: String(2 * touched) }]);
  const { rows: read } = await session.query<{ inSequence: number; byKey: number }>(
    `select seq_tup_read::int as "inSequence", idx_tup_fetch::int as "byKey"
    from pg_stat_xact_user_tables
    where relid = 'registry_stats.deposit_rollup'::regclass`,
  );
  expect(read[0]?.inSequence).toBe(0);
  // Once to read an object's rows and once to add to them; never the rows of other objects.
  expect(read[0]?.byKey).toBeGreaterThanOrEqual(touched);
  expect(read[0]?.byKey).toBeLessThanOrEqual(2 * touched);
  await session.query('commit');
  await runAll(target.query);
  await expectTruth(target);
});
