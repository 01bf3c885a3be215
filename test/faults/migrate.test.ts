import { expect, test } from 'vitest';
import { sources } from '../../src/statistics/installation.js';
import { runCommand, startDaemon, startProgram, type Program } from '../support/program.js';
import { startLoad } from '../support/registry-load.js';
import { dumpSchema } from '../support/schema-dump.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { untilBackendEnds } from './support/records.js';
import { expectRecovered } from './support/recovery.js';
import { registryDatabase, sceneSettings } from './support/scene.js';
import { afterCommand, haltAt, type Step } from './support/steps.js';

/** The parts of migrate on a new database: nobody works on it yet. */
const firstParts: readonly Step[] = [
  { name: 'in the launch schema', arrange: afterCommand('CREATE TABLE', '^public.users$') },
  {
    name: 'in migration 001',
    arrange: afterCommand('CREATE MATERIALIZED VIEW', '^public.generic_file_counts$'),
  },
];

/** The parts of migrate on a live Registry. */
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

/** Strikes in the midst of a part; nothing of that part may be seen afterwards. */
async function interrupt(target: TestDatabase, part: Step, fault: Fault): Promise<void> {
  const halt = await haltAt(target, part);
  const migrating = await startProgram(['migrate'], { env: target.env });
  const pid = await halt.reached();
  const before = await dumpSchema(target);
  await fault.strike(target, migrating, pid);
  expect(await dumpSchema(target)).toBe(before);
  await halt.open();
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
    });
  }

  for (const part of parts) {
    test(`${fault.name} ${part.name}, while Registry is at work`, async () => {
      const target = await registryDatabase();
      const load = await startLoad(() => target.session());
      await interrupt(target, part, fault);
      await load.call();
      await load.progress();
      await migrateAgain(target);
      await load.call();
      await load.progress();
      expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });
      await expectRecovered(
        target,
        await startDaemon({ env: { ...target.env, ...sceneSettings } }),
      );
    });
  }
}
