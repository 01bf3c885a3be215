import type pg from 'pg';
import { expect } from 'vitest';
import type { Query } from '../../src/db/transaction.js';
import { loadCsv } from '../support/load-csv.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { ownDifferences, wrongFigures, wrongRollups } from './truth.js';
import { queryOn } from './workers.js';

export const isolations = ['read committed', 'repeatable read', 'serializable'] as const;
export const oneSnapshot = ['repeatable read', 'serializable'] as const;

/** Creates a database with fixtures and current figures. */
export async function upToDate(): Promise<TestDatabase> {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  await runAll(target.query);
  return target;
}

export async function runAll(query: Query): Promise<void> {
  await query(`select registry_stats.run('update_counts')`);
  await query(`select registry_stats.run('update_current_deposit_stats')`);
}

/** The writes of one transaction: they change a figure of every view. */
export const writeOfEachTable = [
  `insert into public.generic_files
    (identifier, uuid, size, state, institution_id, intellectual_object_id, created_at, updated_at)
  select 'new' || n, 'new' || n, 11, 'A', 2, n, now(), now() from generate_series(1, 3) as n`,
  `update public.intellectual_objects set state = 'D' where id in (1, 2)`,
  `insert into public.premis_events (event_type, institution_id, created_at, updated_at)
  values ('ingestion', null, now(), now())`,
  `update public.work_items set institution_id = 3, action = 'Delete' where id = 1`,
].join(';\n');

export async function hasWork({ query }: Pick<TestDatabase, 'query'>): Promise<boolean> {
  const [row] = await query<{ has: boolean }>(
    `select registry_stats.jobs_with_work(
      array['update_counts', 'update_current_deposit_stats']
    ) <> '{}' as has`,
  );
  return row?.has === true;
}

/** Expects live figures and rollups plus pending changes to match the tables. */
export async function expectLiveTruth({ query }: TestDatabase): Promise<void> {
  expect(await wrongFigures(query, 'registry_stats.live_')).toEqual([]);
  expect(await ownDifferences(query)).toEqual([]);
}

/** Expects no pending changes, and all views to match the tables. */
export async function expectTruth(target: TestDatabase): Promise<void> {
  expect(await hasWork(target)).toBe(false);
  expect(await wrongFigures(target.query, 'public.')).toEqual([]);
  expect(await wrongRollups(target.query)).toEqual([]);
  await expectLiveTruth(target);
}

/** Begins a transaction and takes its snapshot. */
export async function beginWithSnapshot(client: pg.Client, isolation: string): Promise<void> {
  await client.query(`begin isolation level ${isolation}`);
  await client.query('select count(*) from public.institutions');
}

interface Pending {
  /** Whether the statement has settled. */
  isDone: boolean;
  readonly result: Promise<pg.QueryResult>;
}

/** Sends a statement that must block, and waits until it does. */
export async function untilBlocked(
  { query }: TestDatabase,
  client: pg.Client,
  statement: string,
): Promise<Pending> {
  const pid = (client as unknown as { processID: number }).processID;
  const pending: Pending = {
    isDone: false,
    result: client.query(statement).finally(() => {
      pending.isDone = true;
    }),
  };
  pending.result.catch(() => undefined);
  await expect
    .poll(
      async () => {
        const [row] = await query<{ blocked: boolean }>(
          'select cardinality(pg_blocking_pids($1)) > 0 as blocked',
          [pid],
        );
        return row?.blocked === true || pending.isDone;
      },
      { timeout: 5_000, interval: 10 },
    )
    .toBe(true);
  expect(pending.isDone).toBe(false);
  return pending;
}

/** Returns the error code of a statement, or its first row. */
export async function resultOf(
  client: pg.Client,
  statement: string,
  values: unknown[] = [],
): Promise<unknown> {
  try {
    return (await queryOn(client)(statement, values))[0];
  } catch (error) {
    return (error as { code?: string }).code;
  }
}
