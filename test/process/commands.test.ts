import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { materializedViews } from '../../src/jobs/registry-objects.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import { jobNames } from '../../src/jobs/job.js';
import {
  runCommand,
  startDaemon,
  startProgram,
  type Environment,
  type Program,
} from '../support/program.js';
import { databaseWithRows, noSchedule, untilRuns } from '../support/runs.js';
import { runScript } from '../support/run-script.js';
import { dumpSchema } from '../support/schema-dump.js';
import { gateUpdateCounts } from '../support/slow-job.js';
import { loadCsv } from '../support/load-csv.js';
import { createTestDatabase } from '../support/test-database.js';

async function run(args: readonly string[], env: Environment): Promise<string> {
  const { code, stdout, stderr } = await runCommand(args, { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  return stdout;
}

async function statusPort(daemon: Program): Promise<string> {
  const { statusUrl = '' } = await daemon.untilLine('started;');
  return new URL(statusUrl).port;
}

const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const count = expect.any(Number) as number;

test('health distinguishes a live daemon from a ready one', async () => {
  const target = await databaseWithRows();
  const gate = await gateUpdateCounts(target);
  const daemon = await startDaemon({
    env: { ...target.env, ...noSchedule, LOCK_TIMEOUT: '2m' },
  });
  const env = { STATUS_PORT: await statusPort(daemon) };
  await gate.reached();
  expect(await run(['health'], env)).toBe('live\n');
  const { code, stderr } = await runCommand(['health', '--ready'], { env });
  expect({ code, stderr }).toEqual({
    code: 9,
    stderr:
      'registry-stats: UNHEALTHY: the daemon is not ready: first run of update_counts not finished\n',
  });

  await gate.open();
  await untilRuns(daemon, 'start');
  expect(await run(['health', '--ready'], env)).toBe('ready\n');
});

test("status shows the age of the figures and the daemon's state, for people and programs", async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  await untilRuns(daemon, 'start');
  const env = { ...target.env, STATUS_PORT: await statusPort(daemon) };

  expect(JSON.parse(await run(['status', '--json'], env))).toEqual({
    version: 1,
    database: {
      name: target.name,
      host: target.env['DB_HOST'],
      port: Number(target.env['DB_PORT']),
    },
    statusPort: { host: '127.0.0.1', port: Number(env.STATUS_PORT), responder: 'daemon' },
    isMaintenance: false,
    verdict: {
      kind: 'legacy state',
      level: 'good',
      notReady: null,
      sentence: expect.stringMatching(/^All statistics are as of \S+ \S+ UTC\.$/) as string,
      details: [expect.stringContaining('legacy state') as string],
      checkedAt: iso,
      facts: [],
      steps: [],
    },
    jobs: jobNames.map((job) => ({
      job,
      title: expect.any(String) as string,
      subject: expect.any(String) as string,
      isRunning: false,
      state: 'fresh',
      outcome: 'refreshed',
      reason: expect.any(String) as string,
      skipReason: null,
      lastRun: {
        trigger: 'start',
        outcome: 'refreshed',
        reason: expect.any(String) as string,
        skipReason: null,
        startedAt: iso,
        durationMs: count,
      },
      lastSuccess: iso,
      consecutiveFailures: 0,
      failingSince: null,
      lastCheck: iso,
      lastRefresh: iso,
      dataAsOf: iso,
      pendingChanges: null,
    })),
    statistics: {
      mode: 'plain',
      problem: null,
      pendingChanges: null,
      inexact: [],
      jobs: [],
      lastVerification: null,
      blocker: null,
    },
    views: [...materializedViews, 'historical_deposit_stats'].map((name) => ({
      name,
      rows: count,
      asOf: iso,
    })),
    daemon: { pid: daemon.pid, startedAt: iso, isDatabaseDown: false, nextRun: iso },
  });
  const text = await run(['status'], env);
  expect(text).toMatch(/^All statistics are as of /m);
  expect(text).toMatch(/^Daemon +process \d+ on 127\.0\.0\.1:\d+, next run in \d+ \w+$/m);
  expect(text).toMatch(
    /^Counts +fresh +\d+ (s|min) ago +\d+ (s|min) ago +refreshed \(4 views, full scan\)$/m,
  );
  expect(await run(['status', '--utc'], env)).toMatch(
    /^Counts +fresh( +\d{4}-\d\d-\d\d \d\d:\d\d){2} +refreshed /m,
  );
});

test('status without a daemon reports if another program uses the port, and exits with 0', async () => {
  const target = await databaseWithRows();
  const port = await otherProgram();
  const responders = [
    // A port that fetch refuses.
    ['1', 'nobody', 'nobody responds on 127.0.0.1:1'],
    ['0', 'nobody', 'unknown: with STATUS_PORT=0 it has any port'],
    [port, 'other program', `another program responds on 127.0.0.1:${port}`],
  ] as const;
  for (const [STATUS_PORT, responder, text] of responders) {
    const env = { ...target.env, STATUS_PORT };
    expect(await run(['status'], env)).toContain(`${text}\n`);
    expect(JSON.parse(await run(['status', '--json'], env))).toMatchObject({
      daemon: null,
      statusPort: { responder },
    });
  }
});

/** Starts a web server that is not our daemon; returns its port. */
async function otherProgram(): Promise<string> {
  const server = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return String((server.address() as AddressInfo).port);
}

test('refresh runs all jobs, also with fresh figures, and reports each as JSON', async () => {
  const target = await databaseWithRows();
  await run(['refresh'], target.env);
  const reports: unknown = JSON.parse(await run(['refresh', '--json'], target.env));

  const common = { trigger: 'command', changes: null, startedAt: iso, durationMs: count };
  const refreshed = { ...common, outcome: 'refreshed', skipReason: null };
  const skipped = { ...common, outcome: 'skipped', skipReason: 'complete' };
  expect(reports).toEqual({
    version: 1,
    runs: [
      { ...refreshed, job: 'update_counts', reason: '4 views, full scan' },
      { ...refreshed, job: 'update_current_deposit_stats', reason: '1 view, full scan' },
      {
        ...skipped,
        job: 'populate_all_historical_deposit_stats',
        reason: 'no month is missing',
      },
    ],
  });
});

test('refresh runs the jobs that are named, in their own order, each once', async () => {
  const target = await databaseWithRows();
  const [counts, deposits] = jobNames;
  const stdout = await run(['refresh', deposits, counts, deposits], target.env);

  expect(stdout.replace(/[\d.]+ m?s$/gm, '…')).toBe(
    'counts refreshed (4 views, full scan) in …\n' +
      'current deposits refreshed (1 view, full scan) in …\n',
  );
  expect(await target.query('select from public.historical_deposit_stats')).toEqual([]);
});

test('refresh next to a running daemon skips its job as busy', async () => {
  const target = await databaseWithRows();
  const gate = await gateUpdateCounts(target);
  await startDaemon({ env: { ...target.env, ...noSchedule, LOCK_TIMEOUT: '2m' } });
  await gate.reached();

  expect(await run(['refresh', 'update_counts'], target.env)).toBe(
    'counts skipped: running elsewhere\n',
  );
});

test('migrate lists pending files, prints them as one script, and applies them once', async () => {
  const target = await createTestDatabase('empty');
  const { migrations, functions } = await readSqlFiles();
  const paths = [
    ...migrations.map((file) => file.path),
    ...(functions.length > 0 ? ['sql/functions'] : []),
  ];
  const pendingActivation = 'activation: capture triggers, one scan a table, views';
  const activated = [
    'rollups of generic_files',
    'rollups of intellectual_objects',
    'rollups of premis_events',
    'rollups of work_items',
    'views over the rollups',
  ];
  expect(await run(['migrate', '--dry-run'], target.env)).toBe(
    ['would run:', ...['sql/schema (new database)', ...paths, pendingActivation], '']
      .join('\n  ')
      .trimEnd() + '\n',
  );
  expect(await run(['migrate', '--status'], target.env)).toMatch(
    /^The database is empty: launch schema pending\.\n(.*\n)*001_deposit_stats +pending\n/,
  );
  const script = await run(['migrate', '--print'], target.env);
  expect(await dumpSchema(target)).toBe('\n');

  expect(await run(['migrate'], target.env)).toBe(
    `applied: ${['sql/schema', ...paths, ...activated].join(', ')}\n`,
  );
  expect(await run(['migrate'], target.env)).toBe('nothing to do\n');
  expect(await run(['migrate', '--dry-run'], target.env)).toBe('nothing would run\n');
  const status = JSON.parse(await run(['migrate', '--status', '--json'], target.env)) as unknown;
  expect(status).toEqual({
    version: 1,
    needsLaunchSchema: false,
    migrations: migrations.map(({ name }) => ({
      version: name,
      state: 'applied',
      finishedAt: iso,
    })),
    unknown: [],
    functionsChanged: false,
    replacedFunctions: [],
    needsActivation: false,
    intendedChanges: [],
  });

  const printed = await createTestDatabase('empty');
  expect(await runScript(await printed.session(), script)).toEqual([]);
  expect(await dumpSchema(printed)).toBe(await dumpSchema(target));
});

test('rebuild reports the rows it scanned, replaces months of the history, and refuses wrong arguments', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const [rows] = await target.query<{ files: string; items: string }>(
    `select
      (select count(*) from public.generic_files) as files,
      (select count(*) from public.work_items) as items`,
  );
  await run(['refresh'], target.env);
  await target.query(`update public.storage_options set cost_gb_per_month = 1`);

  expect(await run(['rebuild', 'work_items', 'generic_files'], target.env)).toBe(
    `generic_files: ${rows?.files ?? ''} rows counted\n` +
      `work_items: ${rows?.items ?? ''} rows counted\n`,
  );
  const since = ['rebuild', 'history', '--since', '2024-01-01'];
  const planned = await run([...since, '--dry-run'], target.env);
  const replaced = await run([...since, '--yes'], target.env);
  // As many as before: no row was added, and both sides count the zero rows.
  expect(replaced).toMatch(/^months replaced: \d+\nrows deleted: (\d+)\nrows inserted: \1\n$/);
  expect(replaced).toContain(
    planned.replace('to replace', 'replaced').replace('rows to delete', 'rows deleted'),
  );
  expect(
    await target.query(
      `select bool_and(cost_gb_per_month = 1) as is_new
      from public.historical_deposit_stats
      where end_date >= '2024-01-01' and file_count > 0 and storage_option <> 'Total'`,
    ),
  ).toEqual([{ is_new: true }]);
});

test('uninstall goes back to the views and functions of 001, figures current, and migrate returns', async () => {
  const baseline = await createTestDatabase('baseline');
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await run(['refresh'], target.env);
  await target.query(`update public.generic_files set state = 'D'`);
  expect(await run(['uninstall', '--yes'], target.env)).toBe('uninstalled\n');

  expect(await dumpSchema(target)).toBe(await dumpSchema(baseline));
  expect(
    await target.query('select distinct file_count from public.current_deposit_stats'),
  ).toEqual([{ file_count: '0' }]);
  expect(await run(['uninstall'], target.env)).toBe('nothing to uninstall\n');
  expect(await run(['migrate'], target.env)).toContain('views over the rollups');
});

test('config shows each setting with its source, and the password masked', async () => {
  const env = { APT_ENV: 'test', DB_PASSWORD: 'correct horse' };
  const text = await run(['config'], env);
  expect(text).toMatch(/^DB_PASSWORD +\*{8} +environment$/m);
  expect(text).toMatch(/^REFRESH_SCHEDULE +0 \* \* \* \* +default$/m);
  expect(text).not.toContain('correct horse');

  const json = await run(['config', '--json'], env);
  const { settings } = JSON.parse(json) as { settings: Record<string, unknown>[] };
  const shown = { key: 'DB_PASSWORD', value: '********', source: 'environment', isSecret: true };
  expect(settings).toContainEqual({ ...shown, about: expect.any(String) as string });
  expect(Object.fromEntries(settings.map(({ key, value }) => [key, value]))).toMatchObject({
    DB_HOST: null,
    DB_PORT: 5432,
    DB_USE_SSL: false,
    LOCK_TIMEOUT: 5_000,
  });
  expect(json).not.toContain('correct horse');
});

test('no command writes the password, at the most verbose level, right or wrong', async () => {
  const target = await databaseWithRows();
  const password = 'Tr0ub4dor&3 is a secret';
  const role = `${target.name}_secret`;
  await target.query(`create role ${role} superuser login password '${password}'`);
  onTestFinished(async () => {
    await target.query(`drop owned by ${role} cascade`);
    await target.query(`drop role ${role}`);
  });
  const talkative = { LOG_LEVEL: 'trace', LOG_SQL: 'true', LOG_FORMAT: 'json', ...noSchedule };
  const right = { ...target.env, ...talkative, DB_USER: role, DB_PASSWORD: password };
  const daemon = await startDaemon({ env: right });
  await untilRuns(daemon, 'start');
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded');
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  const pretty = await startProgram(['start'], { env: { ...right, LOG_FORMAT: 'pretty' } });
  await pretty.until('figures', () => pretty.stdout.includes('Refresh now:'));
  const env = { ...right, STATUS_PORT: await statusPort(daemon) };
  const commands = [
    ['config'],
    ['config', '--json'],
    ['status'],
    ['status', '--json'],
    ['health', '--ready'],
    ['refresh'],
    ['refresh', '--json'],
    ['migrate'],
    ['migrate', '--status'],
    ['migrate', '--print'],
    ['reset'],
  ];
  const wrong = [
    { DB_NAME: 'no_such_database' },
    { DB_USER: 'no_such_role' },
    { DB_PORT: '1' },
    { LOG_LEVEL: password },
    { DB_HOST: `postgres://${role}:${password}@127.0.0.1/x` },
    { DB_PASSWORD: `${password}\n` },
  ];

  const outputs = [daemon.stdout, daemon.stderr, pretty.stdout, pretty.stderr];
  for (const args of commands) outputs.push(await outputOf(args, env));
  for (const changed of wrong) outputs.push(await outputOf(['refresh'], { ...env, ...changed }));
  for (const output of outputs) expect(output).not.toContain('Tr0ub4dor');
  expect(daemon.lines.map(({ msg }) => msg)).toContain('sql');
  // Twenty processes in sequence.
}, 180_000);

async function outputOf(args: readonly string[], env: Environment): Promise<string> {
  const { stdout, stderr } = await runCommand(args, { env });
  return stdout + stderr;
}
