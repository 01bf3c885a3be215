import { expect, test } from 'vitest';
import { sources } from '../../src/statistics/installation.js';
import { loadCsv } from '../support/load-csv.js';
import { runCommand, startProgram, type Program } from '../support/program.js';
import { startLoad } from '../support/registry-load.js';
import { dumpSchema } from '../support/schema-dump.js';
import { eventually } from '../support/slow-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { untilBackendEnds } from './support/records.js';
import { expectRecovered } from './support/recovery.js';
import { registryDatabase, startSceneDaemon } from './support/scene.js';
import { afterCommand, haltAt, type Step } from './support/steps.js';

/** The steps of migrate on a new database, which has no other sessions. */
const firstParts: readonly Step[] = [
  { name: 'in the launch schema', arrange: afterCommand('CREATE TABLE', '^public.users$') },
  {
    name: 'in migration 001',
    arrange: afterCommand('CREATE MATERIALIZED VIEW', '^public.generic_file_counts$'),
  },
];

/** The steps of migrate on a live Registry. */
const parts: readonly Step[] = [
  { name: 'in migration 101', arrange: afterCommand('CREATE TABLE', '^registry_stats.delta$') },
  { name: 'in the functions', arrange: afterCommand('CREATE FUNCTION', '^registry_stats.fold') },
  ...sources.map((source) => ({
    name: `while ${source} gets its triggers`,
    arrange: afterCommand('CREATE TRIGGER', `^registry_stats_update on public.${source}$`),
  })),
  ...sources.map((source, done) => ({
    name: `in the scan of ${source}`,
    arrange: afterCommand(
      'CREATE TABLE',
      '^pg_temp.registry_stats_partial$',
      `(select count(*) from registry_stats.source where is_exact) = ${done}`,
    ),
  })),
  {
    name: 'while the new views are filled',
    arrange: afterCommand('CREATE MATERIALIZED VIEW', '^registry_stats.premis_event_counts$'),
  },
  {
    name: 'while the views are swapped',
    arrange: afterCommand('ALTER MATERIALIZED VIEW', '^public.premis_event_counts$'),
  },
];

interface Fault {
  readonly name: string;
  readonly strike: (target: TestDatabase, migrating: Program, pid: number) => Promise<void>;
}

const faults: readonly Fault[] = [
  {
    name: 'migrate is killed',
    strike: async (target, migrating, pid) => {
      migrating.kill('SIGKILL');
      await migrating.exited();
      await untilBackendEnds(target, pid);
    },
  },
  {
    name: 'its backend is terminated',
    strike: async ({ query }, migrating, pid) => {
      await query('select pg_terminate_backend($1)', [pid]);
      expect(await migrating.exited()).toEqual({ code: 5, signal: null });
    },
  },
];

/** Interrupts a step; nothing of it may be visible afterwards. */
async function interrupt(target: TestDatabase, part: Step, fault: Fault): Promise<void> {
  const halt = await haltAt(target, part);
  const migrating = await startProgram(['migrate'], { env: target.env });
  const pid = await halt.reached();
  const before = await committedObjects(target);
  await fault.strike(target, migrating, pid);
  expect(await committedObjects(target)).toEqual(before);
  await halt.open();
}

/** Returns every object with the version of its catalog row, which is readable under a lock. */
async function committedObjects({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select relname as name, oid::text, xmin::text
    from pg_class
    where relnamespace::regnamespace::text in ('public', 'registry_stats')
    union all
    select proname, oid::text, xmin::text
    from pg_proc
    where pronamespace::regnamespace::text in ('public', 'registry_stats')
    union all
    select tgname, oid::text, xmin::text from pg_trigger
    order by name, oid`,
  );
}

async function migrateAgain(target: TestDatabase): Promise<void> {
  const { code, stderr } = await runCommand(['migrate'], { env: target.env });
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  expect(await dumpSchema(target)).toBe(await dumpSchema(await createTestDatabase('migrated')));
}

for (const fault of faults) {
  for (const part of firstParts) {
    test(`${fault.name} ${part.name}`, async () => {
      const target = await createTestDatabase('empty');
      await interrupt(target, part, fault);
      await migrateAgain(target);
      await loadCsv(target.database);
      await expectRecovered(target, await startSceneDaemon(target));
    });
  }

  for (const part of parts) {
    test(`${fault.name} ${part.name}, while Registry writes`, async () => {
      const target = await registryDatabase();
      const load = await startLoad(() => target.session());
      await interrupt(target, part, fault);
      await load.call();
      await load.progress();
      await migrateAgain(target);
      await load.call();
      await load.progress();
      expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });
      await expectRecovered(target, await startSceneDaemon(target));
    });
  }
}

test('a reader with an open transaction delays migrate, and no other session', async () => {
  const target = await registryDatabase();
  const load = await startLoad(() => target.session());
  const reader = await target.session();
  await reader.query('begin; select count(*) from public.intellectual_object_counts');
  const migrating = await startProgram(['migrate'], { env: target.env });
  await untilAttempts(target, 'public.intellectual_object_counts', 4);
  await load.progress();
  await load.call();
  await reader.query('commit');

  expect(await migrating.exited()).toEqual({ code: 0, signal: null });
  await load.progress();
  expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });
  await expectRecovered(target, await startSceneDaemon(target));
});

/** Waits until several attempts have waited for a lock on the view. */
async function untilAttempts({ query }: TestDatabase, view: string, count: number): Promise<void> {
  const attempts = new Set<string>();
  await eventually(`${count} attempts`, async () => {
    const waiting = await query<{ began: string }>(
      `select query_start::text as began
      from pg_locks
      join pg_stat_activity using (pid)
      where relation = $1::regclass
        and not granted
        and application_name = 'registry-stats'`,
      [view],
    );
    for (const { began } of waiting) attempts.add(began);
    return attempts.size >= count;
  });
}
