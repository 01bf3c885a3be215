import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readIdentity } from '../../src/dev/embedded/identity.js';
import { clusterPath } from '../../src/dev/embedded/place.js';
import { isServed, readPidFile } from '../../src/dev/embedded/server.js';
import { loadCsv } from '../support/load-csv.js';
import { temporaryDirectory, type Environment, type Program } from '../support/program.js';
import { hasPseudoTerminal, startOnTerminal } from '../support/pseudo-terminal.js';
import { removeEmbeddedServer } from '../support/remove-embedded-server.js';
import { databaseWithRows, noSchedule } from '../support/runs.js';
import { eventually } from '../support/slow-job.js';
import { createTestDatabase } from '../support/test-database.js';

// A real pseudo terminal. test/signals.test.ts tests the same without one.
const onTerminal = test.skipIf(!hasPseudoTerminal);

/** Adds a mark to an environment, by which its processes can be found. */
function marked(settings: Environment) {
  const mark = `${String(process.pid)}-${String(Math.random())}`;
  const isRunning = (): boolean => processesWith(`TEST_MARK=${mark}`).length > 0;
  return {
    env: { ...settings, STATUS_PORT: '0', TEST_MARK: mark },
    isRunning,
    untilNothingRuns: () => eventually('the end of every process', () => !isRunning()),
  };
}

/** Returns the ids of the processes with this text in their environment. */
function processesWith(text: string): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, 'utf8').includes(text);
    } catch {
      // It ended meanwhile, or belongs to another user.
      return false;
    }
  });
}

onTerminal('closing the terminal stops the daemon', async () => {
  const target = await databaseWithRows();
  const { env, isRunning, untilNothingRuns } = marked({ ...target.env, ...noSchedule });
  const { program, close } = await startOnTerminal(['start'], env);
  await program.until('figures', () => program.stdout.includes('Stop:'));
  expect(isRunning()).toBe(true);
  close();
  await untilNothingRuns();
});

onTerminal('closing the terminal stops status --watch', async () => {
  const target = await databaseWithRows();
  const { env, isRunning, untilNothingRuns } = marked(target.env);
  const { program, close } = await startOnTerminal(['status', '--watch'], env);
  await program.until('a report', () => program.stdout.includes('Deposit history'));
  expect(isRunning()).toBe(true);
  close();
  await untilNothingRuns();
});

async function clusterOf(dataDir: string): Promise<string | undefined> {
  const identity = await readIdentity(dataDir);
  return identity && clusterPath(dataDir, identity);
}

/** Throws until the server has written its pid, which is before it accepts connections. */
async function assertStarting(dataDir: string): Promise<void> {
  const cluster = await clusterOf(dataDir);
  expect(cluster && readPidFile(cluster)?.pid).toBeGreaterThan(0);
}

const moments: readonly [what: string, until: (program: Program, dataDir: string) => unknown][] = [
  [
    'while initdb creates it',
    (program) => program.until('initdb', () => program.stdout.includes('initialising')),
  ],
  [
    'while it starts',
    (_program, dataDir) =>
      vi.waitFor(() => assertStarting(dataDir), { timeout: 45_000, interval: 1 }),
  ],
  [
    'while the database is migrated',
    (program) => program.until('functions', () => program.stdout.includes('sql/functions:')),
  ],
];

for (const [what, until] of moments) {
  onTerminal(`closing the terminal leaves no embedded PostgreSQL, ${what}`, async () => {
    const dataDir = path.join(await temporaryDirectory(), 'data');
    onTestFinished(() => removeEmbeddedServer(dataDir));
    const { env, untilNothingRuns } = marked({ DATA_DIR: dataDir, ...noSchedule });
    const { program, close } = await startOnTerminal(['start'], env);
    await until(program, dataDir);
    close();
    await untilNothingRuns();
    const cluster = await clusterOf(dataDir);
    expect(cluster && (await isServed(cluster))).toBe(false);
    expect(cluster && readPidFile(cluster)).toBeUndefined();
  });
}

/** The question is no line, so the program does not notice it. */
function untilAsked(program: Program): Promise<void> {
  return eventually('a question', () => program.stdout.includes('Type yes to continue: '));
}

onTerminal('uninstall asks on a terminal: anything but yes changes nothing', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const schemas = () => target.query(`select from pg_namespace where nspname = 'registry_stats'`);
  const { program, type } = await startOnTerminal(['uninstall'], target.env);
  await untilAsked(program);
  expect(program.stdout).toContain('drops schema registry_stats: the rollups, and the records of');
  type('y\n');
  expect(await program.exited()).toMatchObject({ code: 7 });
  expect(program.stdout).toContain('NOT_CONFIRMED: expected the reply yes, found another one');
  expect(await schemas()).toHaveLength(1);

  const again = await startOnTerminal(['uninstall'], target.env);
  await untilAsked(again.program);
  again.type('yes\n');
  expect(await again.program.exited()).toMatchObject({ code: 0 });
  expect(await schemas()).toHaveLength(0);
});

onTerminal('Ctrl-C at the question changes nothing and ends the command', async () => {
  const target = await databaseWithRows();
  const before = await target.query('select count(*) from public.generic_files');
  const { program, type } = await startOnTerminal(['reset'], target.env);
  await untilAsked(program);
  type('\u0003');
  expect(await program.exited()).toMatchObject({ code: 7 });
  expect(await target.query('select count(*) from public.generic_files')).toEqual(before);
});
