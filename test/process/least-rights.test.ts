import { expect, test } from 'vitest';
import { exitCodes } from '../../src/exit-codes.js';
import { wrongFigures, wrongRollups } from '../exactness/truth.js';
import { writeOfEachTable } from '../exactness/two-sessions.js';
import { createOwnedDatabase } from '../support/owned-database.js';
import { programName, runCommand, startDaemon } from '../support/program.js';
import { messages, noSchedule, untilRuns, type Run } from '../support/runs.js';

const everySecond = '* * * * * *';

test('a daemon with the rights of sql/roles.sql can do everything, and all figures are correct', async () => {
  const { target, owner, daemon } = await createOwnedDatabase();
  const env = { ...daemon.env, ...noSchedule };
  const program = await startDaemon({ env });
  const { statusUrl = '' } = await program.untilLine('started;');
  await untilRuns(program, 'start');
  const registry = await owner.session();
  let turn = 0;
  /** Runs statements of Registry, then the three jobs. Returns outcome and reason of each. */
  const after = async (statements: string): Promise<Run[]> => {
    await registry.query(statements);
    program.kill('SIGUSR2');
    const runs = (await untilRuns(program, 'signal', ++turn)).slice(-3);
    expect(await wrongFigures(target.query, 'public.')).toEqual([]);
    expect(await wrongRollups(target.query)).toEqual([]);
    return runs.map(([, outcome, reason]) => [outcome, reason]);
  };
  const complete = ['skipped', 'no month is missing'];

  expect(await after('select')).toEqual([
    ['skipped', 'nothing changed since the last refresh'],
    ['skipped', 'nothing changed since the last refresh'],
    complete,
  ]);
  expect(await after(writeOfEachTable)).toEqual([
    ['refreshed', '10 changes'],
    ['refreshed', '3 changes'],
    complete,
  ]);
  expect(await after('truncate public.premis_events cascade')).toEqual([
    [
      'refreshed',
      'premis_events rebuilt: the table or its capture was changed, or the database was restored',
    ],
    ['skipped', 'nothing changed since the last refresh'],
    complete,
  ]);
  expect(
    await after(
      `drop trigger registry_stats_update on public.intellectual_objects;
      update public.intellectual_objects set state = 'D' where id = 3`,
    ),
  ).toEqual([
    ['refreshed', 'intellectual_objects rebuilt: a capture trigger is missing or disabled'],
    ['skipped', 'nothing changed since the last refresh'],
    complete,
  ]);
  const [, , history] = await after(
    `delete from public.historical_deposit_stats where end_date = '2020-02-01'`,
  );
  expect(history).toEqual(['refreshed', '1 month added']);
  // Registry's own calls, as usual.
  await registry.query(
    `${writeOfEachTable.replaceAll("'new'", "'newer'")};
    select public.update_counts(), public.update_current_deposit_stats(),
      public.populate_all_historical_deposit_stats()`,
  );

  for (const [path, text] of [
    ['', '<!doctype html>'],
    ['ready', '"ready"'],
    ['metrics', 'registry_stats_database_up 1'],
    ['api/status', '"mode":"incremental"'],
    ['api/runs', '"isRecorded":true'],
    ['api/statistics', '"byInstitution"'],
  ] as const) {
    const response = await fetch(new URL(path, statusUrl));
    expect({ path, status: response.status, text: await response.text() }).toEqual({
      path,
      status: 200,
      text: expect.stringContaining(text) as string,
    });
  }
  const withPort = { ...env, STATUS_PORT: new URL(statusUrl).port };
  for (const [command, text] of [
    ['health --ready', 'ready'],
    ['status', `process ${String(program.pid)} on `],
    ['verify', 'Verified: every current figure matches the tables'],
    ['refresh', 'counts unchanged'],
    ['rebuild', 'generic_files'],
  ] as const) {
    const { code, stdout, stderr } = await runCommand(command.split(' '), { env: withPort });
    expect({ command, code, stderr, stdout }).toEqual({
      command,
      code: exitCodes.ok,
      stderr,
      stdout: expect.stringContaining(text) as string,
    });
  }
  program.kill('SIGTERM');
  expect(await program.exited()).toEqual({ code: 0, signal: null });
  expect([...messages(program, 'error'), ...messages(program, 'warn')]).toEqual([]);
  expect(await wrongRollups(target.query)).toEqual([]);
});

test('a daemon with these rights verifies by its schedule', async () => {
  const { daemon } = await createOwnedDatabase();
  const env = { ...daemon.env, ...noSchedule, VERIFY_SCHEDULE: everySecond };
  const program = await startDaemon({ env });
  await program.untilLine('every current figure matches the tables');
});

test('these rights are enough to check a replica: the primary is refused as one, and the daemon continues', async () => {
  const { daemon } = await createOwnedDatabase();
  const { DB_HOST: host = '', DB_PORT: port = '' } = daemon.env;
  const env = { ...daemon.env, ...noSchedule, VERIFY_DB_HOST: host };
  const found =
    `expected a replica to verify on at ${host}:${port}, found: ` +
    'a server that is not in recovery, so not a standby';
  const hintFor = (program: string): string =>
    `check VERIFY_DB_HOST and VERIFY_DB_PORT; \`${program} verify --primary\` reads from DB_HOST`;
  expect(await runCommand(['verify'], { env })).toMatchObject({
    code: exitCodes.databaseUnreachable,
    stdout: '',
    stderr: `registry-stats: REPLICA_UNUSABLE: ${found}\n  hint: ${hintFor(programName)}\n`,
  });
  expect(await runCommand(['verify', '--primary'], { env })).toMatchObject({ code: exitCodes.ok });

  const program = await startDaemon({ env: { ...env, VERIFY_SCHEDULE: everySecond } });
  const line = await program.untilLine('could not be verified on the replica');
  expect(line.level).toBe('warn');
  expect(line.msg).toContain(`: ${found}; hint: ${hintFor('registry-stats')}`);
  expect(messages(program, 'error')).toEqual([]);
  program.kill('SIGTERM');
  expect(await program.exited()).toEqual({ code: 0, signal: null });
});

test.each([
  'migrate',
  'migrate --status',
  'uninstall --yes',
  'rebuild history --since 2020-01-01 --yes',
  'reset --yes',
])(
  '%s is for the owner: the role of the daemon is refused, and nothing is changed',
  async (command) => {
    const { target, daemon } = await createOwnedDatabase();
    const count = 'select count(*) as rows from public.historical_deposit_stats';
    const before = await target.query(count);
    const { code, stderr } = await runCommand(command.split(' '), { env: daemon.env });

    expect({ code, stderr }).toEqual({
      code: exitCodes.databaseNotReady,
      stderr: expect.stringMatching(
        /PERMISSION_DENIED: (role "\w+" lacks a right: .+\n {2}hint: grant what sql\/roles.sql grants, or connect as the role that owns the statistics|expected to migrate as role "\w+", who owns .+\n {2}hint: connect as "\w+" .+)\n$/s,
      ) as string,
    });
    expect(await target.query(count)).toEqual(before);
  },
);
