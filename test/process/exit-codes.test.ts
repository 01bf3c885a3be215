import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { exitCodes, type ExitCode } from '../../src/exit-codes.js';
import { fixturesFolder } from '../support/load-csv.js';
import {
  programName,
  runCommand,
  startProgram,
  temporaryDirectory,
  type Environment,
} from '../support/program.js';
import { databaseWithRows } from '../support/runs.js';
import { loadCsv } from '../support/load-csv.js';
import { dumpSchema } from '../support/schema-dump.js';
import { countSleeping, eventually } from '../support/slow-job.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

/** The codes seen by the tests, for the last test. */
const seen = new Set<ExitCode>();

/** Runs a command that must exit with this code; returns its output. */
async function expectExit(code: ExitCode, args: readonly string[], env: Environment = {}) {
  const { stdout, stderr, ...exit } = await runCommand(args, { env });
  expect({ ...exit, stderr }).toEqual({ code, signal: null, stderr });
  seen.add(code);
  return { stdout, stderr };
}

/** Returns a port without a listener. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

async function createRole(target: TestDatabase, options: string): Promise<string> {
  const role = `${target.name}_role`;
  await target.query(`create role ${role} login ${options}`);
  onTestFinished(async () => {
    await target.query(`drop role ${role}`);
  });
  return role;
}

test.each([
  [['--help'], 'Usage: registry-stats [options] [command]'],
  [['refresh', '--help'], 'Usage: registry-stats refresh [options] [job...]'],
  [['--version'], '0.'],
  [['config'], 'REFRESH_SCHEDULE'],
])('%j ends with 0 and needs no database', async (args, text) => {
  const { stdout, stderr } = await expectExit(exitCodes.ok, args);
  expect(stdout).toContain(text);
  expect(stderr).toBe('');
});

test.each([
  [[], 'Usage: registry-stats [options] [command]'],
  [['refersh'], "USAGE: unknown command 'refersh'; did you mean refresh?"],
  [['start', '--daemon'], "USAGE: unknown option '--daemon'"],
  [['start', 'now'], "USAGE: too many arguments for 'start'. Expected 0 arguments but got 1"],
  [['start', '--dayly'], "USAGE: unknown option '--dayly'"],
  [['status', '--jsn'], "USAGE: unknown option '--jsn'; did you mean --json?"],
  [['help', 'refersh'], 'USAGE: expected a command listed above'],
  [['reset', '--confirm'], "USAGE: option '--confirm <database>' argument missing"],
  [['reset', '--sample-data', 'lots'], 'Expected a whole number from 1 to 999999999.'],
  [
    ['reset', '--sample-data', '--fixtures', '.'],
    "USAGE: option '--sample-data [files]' cannot be used with option '--fixtures <folder>'",
  ],
  [
    ['migrate', '--status', '--dry-run'],
    "USAGE: option '--status' cannot be used with option '--dry-run'",
  ],
  [['migrate', '--print', '--json'], "USAGE: option '--print' cannot be used with option '--json'"],
  [
    ['migrate', '--dry-run', '--sample-data'],
    "USAGE: option '--dry-run' cannot be used with option '--sample-data [files]'",
  ],
  [['status', '--watch', '--json'], "USAGE: option '--watch' cannot be used with option '--json'"],
  [['rebuild', 'history'], 'USAGE: expected history with --since, like --since 2024-01-01'],
  [
    ['rebuild', 'history', '--since', '2024-02-31'],
    'USAGE: --since: 2024-02-31 does not exist: February 2024 has 29 days',
  ],
  [['rebuild', 'history', 'work_items'], 'USAGE: expected history alone, or tables'],
  [['rebuild', '--since', '2024-01-01'], 'USAGE: expected --since with history only'],
  [['rebuild', 'work_items', '--yes'], 'USAGE: expected --yes with history only; found work_items'],
  [['rebuild', '--dry-run'], 'USAGE: expected --dry-run with history only; found no history'],
  [['refresh', 'update_count'], 'found update_count; did you mean update_counts?'],
  [
    ['refresh', 'update_counts', 'counts'],
    'registry-stats: USAGE: expected jobs among update_counts, update_current_deposit_stats, ' +
      'populate_all_historical_deposit_stats; found counts',
  ],
])('%j is invalid and ends with 2', async (args, text) => {
  const { stdout, stderr } = await expectExit(exitCodes.usage, args);
  expect(stderr).toContain(text);
  expect(stdout).toBe('');
  if (args.length === 0) return;
  const [command = ''] = args;
  const named = ['refersh', 'help'].includes(command) ? '' : `${command} `;
  expect(stderr).toMatch(/^registry-stats: USAGE: /m);
  expect(stderr).toContain(`\n  hint: see \`${programName} ${named}--help\`\n`);
});

test('wrong settings end with 3, all of them named', async () => {
  const env = { APT_ENV: 'docker', DB_PORT: 'x', LOG_LEVEL: 'loud' };
  const { stderr } = await expectExit(exitCodes.settings, ['start'], env);
  for (const key of ['DB_PORT', 'LOG_LEVEL', 'DB_HOST', 'DB_NAME', 'DB_USER']) {
    expect(stderr).toMatch(new RegExp(`^  ${key}\\b.*: expected `, 'm'));
  }
});

test('unreachable Parameter Store ends with 4', async () => {
  const { stderr } = await expectExit(exitCodes.parameterStore, ['start'], {
    APT_ENV: 'staging',
    AWS_ACCESS_KEY_ID: 'nobody',
    AWS_SECRET_ACCESS_KEY: 'nothing',
    AWS_ENDPOINT_URL_SSM: `http://127.0.0.1:${await closedPort()}`,
    SSM_TIMEOUT: '30s',
  });
  expect(stderr).toMatch(
    /^registry-stats: PARAMETER_STORE_UNREACHABLE: Parameter Store path \/STAGING\/REGISTRY\/ in us-east-1 could not be read: .*ECONNREFUSED$/m,
  );
});

test.each(['refresh', 'status', 'migrate', 'reset'])(
  '%s without a server ends with 5',
  async (command) => {
    const { port, ...rest } = { port: await closedPort(), host: '127.0.0.1' };
    const env = { APT_ENV: 'test', DB_HOST: rest.host, DB_PORT: port, DB_NAME: 'x', DB_USER: 'x' };
    const { stderr } = await expectExit(exitCodes.databaseUnreachable, [command], env);
    expect(stderr).toBe(
      `registry-stats: DATABASE_UNREACHABLE: expected PostgreSQL at 127.0.0.1:${port}, ` +
        `found: connect ECONNREFUSED 127.0.0.1:${port}\n` +
        '  hint: check DB_HOST and DB_PORT, and that the server accepts connections\n',
    );
  },
);

test.each([
  ['a wrong password', { DB_PASSWORD: 'not the password' }, /password authentication failed/],
  [
    'a missing database',
    { DB_NAME: 'no_such_database' },
    /database "no_such_database" does not exist/,
  ],
])('%s is refused by the server and ends with 5, at start too', async (_, changed, found) => {
  const target = await createTestDatabase('baseline');
  for (const command of ['refresh', 'start']) {
    const env = { ...target.env, ...changed };
    const { stderr } = await expectExit(exitCodes.databaseUnreachable, [command], env);
    expect(stderr).toMatch(/^registry-stats: DATABASE_REFUSED: PostgreSQL at /);
    expect(stderr).toMatch(found);
  }
});

test.each(['start', 'refresh', 'status'])(
  '%s on a database without the statistics ends with 6',
  async (command) => {
    const target = await createTestDatabase('empty');
    const { stderr } = await expectExit(exitCodes.databaseNotReady, [command], target.env);
    expect(stderr).toContain(
      `registry-stats: DATABASE_NOT_MIGRATED: expected the statistics in database "${target.name}", ` +
        'missing: public.update_counts(), ',
    );
    expect(stderr).toContain(`hint: run \`${programName} migrate\`, or check DB_NAME`);
  },
);

test('a required password that is not set ends with 5, at once', async () => {
  const { env } = await createTestDatabase('empty');
  const without = { ...env, DB_PASSWORD: '' };
  const { stderr } = await expectExit(exitCodes.databaseUnreachable, ['status'], without);
  expect(stderr).toContain(': it requires a password, none is set\n  hint: check DB_NAME, ');
});

test('a role without rights ends with 6, and each missing right is named', async () => {
  const target = await createTestDatabase('baseline');
  const role = await createRole(target, `password 'secret of the role'`);
  const env = { ...target.env, DB_USER: role, DB_PASSWORD: 'secret of the role' };
  for (const command of ['start', 'refresh']) {
    const { stderr } = await expectExit(exitCodes.databaseNotReady, [command], env);
    expect(stderr).toContain(
      `registry-stats: PERMISSION_DENIED: expected role "${role}" to be able`,
    );
    expect(stderr).toContain('insert on public.historical_deposit_stats');
    expect(stderr).toContain('refresh of public.generic_file_counts (owner: ');
  }
});

test('reset outside of development ends with 7', async () => {
  const target = await createTestDatabase('baseline');
  const env = { ...target.env, APT_ENV: 'docker' };
  const { stderr } = await expectExit(exitCodes.refused, ['reset'], env);
  expect(stderr).toBe(
    'registry-stats: RESET_REFUSED: reset refused: expected APT_ENV ci, dev, integration, test or ' +
      'travis, found docker\n  hint: nothing was changed\n',
  );
});

test('reset of a server that was named without an APT_ENV ends with 7', async () => {
  const target = await createTestDatabase('baseline');
  const env = { ...target.env, APT_ENV: '' };
  const { stderr } = await expectExit(exitCodes.refused, ['reset'], env);
  expect(stderr).toContain('expected APT_ENV to be set together with DB_HOST, found only DB_HOST');
});

test('reset of a database whose name looks live ends with 7', async () => {
  const target = await createTestDatabase('baseline');
  const name = `${target.name}_prod`;
  await target.query(`create database ${name} template ${inject('templates').baseline}`);
  onTestFinished(async () => {
    await target.query(`drop database ${name} with (force)`);
  });
  const { stderr } = await expectExit(exitCodes.refused, ['reset'], {
    ...target.env,
    DB_NAME: name,
  });
  expect(stderr).toContain(`found the name "${name}", which looks live`);
  expect(stderr).toContain(`hint: if every row in it may go: --confirm ${name}`);
});

test('reset of a database with a table of others ends with 7, until it is confirmed by name', async () => {
  const target = await createTestDatabase('baseline');
  await target.query('create table public.precious as select 1 as id');
  const { stderr } = await expectExit(exitCodes.refused, ['reset'], target.env);
  expect(stderr).toContain('found tables that are not ours: public.precious');
  const wrong = await expectExit(exitCodes.refused, ['reset', '--confirm', 'other'], target.env);
  expect(wrong.stderr).toContain(`--confirm: expected "${target.name}", found "other"`);

  const { stdout } = await expectExit(
    exitCodes.ok,
    ['reset', '--confirm', target.name],
    target.env,
  );
  expect(stdout).toBe(`database "${target.name}" is new\n`);
  expect(await target.query('select id from public.precious')).toEqual([{ id: 1 }]);
});

test('migrate of an empty database in a live environment ends with 7', async () => {
  const target = await createTestDatabase('empty');
  const live = { APT_ENV: 'staging', SSM_PATH: 'none', DB_USE_SSL: 'false' };
  const { stderr } = await expectExit(exitCodes.refused, ['migrate'], { ...target.env, ...live });
  expect(stderr).toContain('NOT_REGISTRY: expected a Registry database, found none of its tables');
  expect(await dumpSchema(target)).toBe('\n');
});

test('a failed job ends with 8, and the other jobs run', async () => {
  const target = await databaseWithRows();
  await target.query('drop index public.ix_generic_file_counts');
  const { stdout, stderr } = await expectExit(exitCodes.jobFailed, ['refresh'], target.env);
  expect(stdout).toMatch(
    /^counts failed: cannot refresh materialized view "public.generic_file_counts" concurrently \(55000\); hint: Create a unique index .*$/m,
  );
  expect(stdout).toMatch(/^current deposits refreshed \(1 view, full scan\) in /m);
  expect(stdout).toMatch(/^deposit history refreshed \([\d,]+ rows added\) in /m);
  expect(stderr).toBe('registry-stats: JOB_FAILED: update_counts failed\n');
});

test('a stopped refresh cancels its statement and ends with 8', async () => {
  const target = await databaseWithRows();
  await target.query(
    `create or replace function public.populate_all_historical_deposit_stats() returns void
    language sql as 'select pg_sleep(30)'`,
  );
  const program = await startProgram(['refresh'], { env: target.env });
  await eventually('a sleeping statement', async () => (await countSleeping(target)) === 1);
  program.kill('SIGTERM');

  expect(await program.exited()).toEqual({ code: exitCodes.jobFailed, signal: null });
  expect(program.stderr).toContain('JOB_FAILED: populate_all_historical_deposit_stats cancelled');
  expect(await countSleeping(target)).toBe(0);
});

test('health without a daemon ends with 9', async () => {
  const port = await closedPort();
  const { stderr } = await expectExit(exitCodes.unhealthy, ['health'], { STATUS_PORT: port });
  expect(stderr).toContain(
    `UNHEALTHY: expected a running daemon at http://127.0.0.1:${port}/live, found nobody`,
  );
});

test('fixtures with a broken row end with 10, name file and line, and change nothing', async () => {
  const target = await databaseWithRows();
  const before = [await dumpSchema(target), await rowsOf(target)];
  const folder = await temporaryDirectory();
  await cp(fixturesFolder, folder, { recursive: true });
  const file = path.join(folder, 'storage_options.csv');
  await writeFile(file, 'id,name\ntwo,Wasabi\n');
  const { stderr } = await expectExit(
    exitCodes.migrationFailed,
    ['reset', '--fixtures', folder, '--yes'],
    target.env,
  );
  expect(stderr).toContain(
    `FIXTURE_INVALID: ${file}:2: invalid input syntax for type bigint: "two"`,
  );
  expect([await dumpSchema(target), await rowsOf(target)]).toEqual(before);
});

async function rowsOf(target: TestDatabase): Promise<unknown> {
  return target.query(
    `select
      (select count(*) from public.premis_events) as events,
      (select count(*) from public.generic_files) as files,
      (select count(*) from public.storage_options) as options`,
  );
}

test('verify ends with 11 and lists every difference; --repair repairs them', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await expectExit(exitCodes.ok, ['refresh'], target.env);
  await expectExit(exitCodes.ok, ['verify'], target.env);
  await target.query(
    `update registry_stats.count_rollup set row_count = row_count + 1
    where source = 'work_items' and facet = 'Delete' and institution_id = (
      select min(institution_id) from public.work_items where action = 'Delete'
    )`,
  );
  const { stdout } = await expectExit(exitCodes.drift, ['verify', '--json'], target.env);
  const { differences } = JSON.parse(stdout) as { differences: Record<string, string>[] };
  expect(differences).toContainEqual(
    expect.objectContaining({
      source: 'work_items',
      view: 'count_rollup',
      key: expect.stringMatching(/^institution \d+, Delete$/) as string,
    }),
  );
  await expectExit(exitCodes.ok, ['verify', '--repair'], target.env);
  // Maintenance mode allows no write, so the differences are not recorded.
  await expectExit(exitCodes.ok, ['verify'], { ...target.env, MAINTENANCE_MODE: 'true' });
  const recorded = await target.query<{ differences: number }>(
    'select differences from registry_stats.verification order by id',
  );
  const found = differences.length;
  expect(recorded.map((one) => one.differences)).toEqual([0, found, found, 0]);
});

test('status --max-age ends with 12 if the age of the figures is unknown, after the status', async () => {
  const target = await databaseWithRows();
  const args = ['status', '--json', '--max-age', '2h'];
  const { stdout, stderr } = await expectExit(exitCodes.tooOld, args, target.env);
  expect(JSON.parse(stdout)).toMatchObject({ version: 1 });
  expect(stderr).toContain(
    'FIGURES_TOO_OLD: expected figures not older than 2h, found Counts as of ',
  );
  expect(stderr).toContain('Deposit history as of an unknown time');
});

test('a status port in use ends with 1', async () => {
  const target = await createTestDatabase('baseline');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const env = { ...target.env, STATUS_PORT: String(port) };
  const { stderr } = await expectExit(exitCodes.failure, ['start'], env);
  expect(stderr).toContain(
    `STATUS_PORT_UNAVAILABLE: expected to listen on 127.0.0.1:${port}, found: listen EADDRINUSE`,
  );
});

test('the tests above have seen every exit code', () => {
  expect([...seen].sort((one, other) => one - other)).toEqual(Object.values(exitCodes));
});
