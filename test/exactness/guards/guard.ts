import path from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { jobs } from '../../../src/jobs/job.js';
import { beginRound } from '../../../src/jobs/outcome.js';
import { refresh } from '../../../src/statistics/refresh.js';
import { sqlRoot } from '../../../src/schema/sql-files.js';
import { sources } from '../../../src/statistics/installation.js';
import type { TestDatabase } from '../../support/test-database.js';
import { wrongFigures, wrongRollups } from '../truth.js';
import { upToDate } from '../two-sessions.js';

/**
 * A protection that can be switched off, and what then fails. Each scenario runs with and without
 * it, because a guard that never failed may guard nothing.
 */
interface Guard {
  readonly switchOff: (target: TestDatabase) => Promise<void>;
  /** Returns what is wrong at the end: nothing with the guard. */
  readonly scenario: (target: TestDatabase) => Promise<unknown[]>;
}

/** Declares one test for each guard. */
export function testGuards(guards: Readonly<Record<string, Guard>>): void {
  test.each(Object.entries(guards))(
    'without this guard figures are wrong: %s',
    async (_name, { scenario, switchOff }) => {
      const intact = await upToDate();
      expect(await scenario(intact)).toEqual([]);

      const bare = await upToDate();
      await switchOff(bare);
      expect(await scenario(bare)).not.toEqual([]);
    },
  );
}

/** Replaces a part of a function's file. The part must occur once. */
export function mutate(name: string, part: string, by: string): Guard['switchOff'] {
  return async ({ query }) => {
    const file = await readFile(path.join(sqlRoot, 'functions', `${name}.sql`), 'utf8');
    await query(replaceOnce(file, part, by));
  };
}

export function replaceOnce(text: string, part: string, by: string): string {
  expect(text.split(part), part).toHaveLength(2);
  return text.replace(part, () => by);
}

export async function withoutLock(target: TestDatabase): Promise<void> {
  await mutate(
    'refresh/try_lock',
    'select pg_try_advisory_xact_lock(1919247220, 102)',
    'select true',
  )(target);
}

/** Returns wrong figures and totals after the daemon ran twice. */
export async function figuresAfterRuns({ database, query }: TestDatabase): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const job of [...jobs.slice(0, 2), ...jobs.slice(0, 2)]) {
    await refresh(
      database,
      job,
      beginRound({ trigger: 'schedule', jobs: [job.name], isManual: false }),
      { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 },
    ).catch((error: unknown) => failures.push(error));
  }
  return [...failures, ...(await wrongFigures(query, 'public.')), ...(await wrongRollups(query))];
}

export async function rebuildAll({ query }: TestDatabase): Promise<void> {
  for (const source of sources) {
    await query('select registry_stats.attach_capture($1)', [source]);
    await query('begin isolation level repeatable read');
    await query('select registry_stats.rebuild($1)', [source]);
    await query('commit');
  }
}

/** Returns SQL for one more file of an object that the fixtures do not have. */
export function newFile(name: string, option: string, object = 4711): string {
  return `insert into public.generic_files
      (identifier, uuid, size, state, institution_id, intellectual_object_id, storage_option,
      created_at, updated_at)
    values ('${name}', '${name}', 1, 'A', 2, ${object}, '${option}', now(), now())`;
}

/** Waits until the statement has ended, or waits for another session. */
export async function doneOrBlocked(
  { query }: TestDatabase,
  client: Awaited<ReturnType<TestDatabase['session']>>,
  statement: Promise<unknown>,
): Promise<void> {
  let isDone = false;
  const done = statement.finally(() => {
    isDone = true;
  });
  const { processID } = client as unknown as { processID: number };
  const blocked = expect
    .poll(
      async () => {
        const [row] = await query<{ blocked: boolean }>(
          'select cardinality(pg_blocking_pids($1)) > 0 as blocked',
          [processID],
        );
        return isDone || row?.blocked === true;
      },
      { interval: 10, timeout: 30_000 },
    )
    .toBe(true);
  await Promise.race([done, blocked]);
  await blocked;
}
