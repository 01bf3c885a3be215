import { expect, onTestFinished, test, vi } from 'vitest';
import type { Database } from '../../src/db/database.js';
import { AppError } from '../../src/errors.js';
import { sources } from '../../src/statistics/installation.js';
import { verifyFrom } from '../../src/statistics/verify-on-replica.js';
import { runCommand, startDaemon, type LogLine, type Program } from '../support/program.js';
import { runEachJob } from '../support/run-each-job.js';
import { messages, noSchedule, untilRuns } from '../support/runs.js';
import { openTestDatabase } from '../support/server.js';
import { countSleeping, eventually } from '../support/slow-job.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { startStandby } from './support/standby.js';

// VERIFY_DB_HOST: a verification reads from a streaming standby and is recorded on the primary.

const byReplica = 'on the replica 127.0.0.1:';

/** Starts a primary with figures that are up to date, and its standby. */
async function startPair(settings: Readonly<Record<string, string>> = {}) {
  const server = await startOwnServer(settings);
  const { target } = server;
  await runEachJob(target.database);
  const standby = await startStandby(server);
  const env = {
    ...target.env,
    VERIFY_DB_HOST: '127.0.0.1',
    VERIFY_DB_PORT: String(standby.port),
  };
  return { target, standby, env };
}

/** Opens the database of these settings. Closed with the test. */
function open({ env }: Pick<TestDatabase, 'env'>, name = env['DB_NAME'] ?? ''): Database {
  const database = openTestDatabase(
    {
      host: env['DB_HOST'] ?? '',
      port: Number(env['DB_PORT']),
      user: env['DB_USER'] ?? '',
      password: env['DB_PASSWORD'] ?? '',
    },
    name,
  );
  onTestFinished(() => database.close());
  return database;
}

/** Counts the scans of each counted table and of our tables, when all other sessions have ended. */
async function countScans({ query }: TestDatabase): Promise<unknown[]> {
  await eventually('the end of all sessions', async () => {
    const open = await query(
      `select from pg_stat_activity
      where datname = current_database() and application_name = 'registry-stats'`,
    );
    return open.length === 0;
  });
  return query(
    `select relname, seq_scan, coalesce(idx_scan, 0) as idx_scan
    from pg_stat_user_tables
    where schemaname = 'public' and relname = any ($1)
      or relname in ('count_rollup', 'delta', 'deposit_rollup', 'deposit_total')
    order by relname`,
    [sources],
  );
}

function recordsOf({ query }: TestDatabase): Promise<unknown[]> {
  return query('select differences from registry_stats.verification order by id');
}

async function failureOf(verifying: Promise<unknown>): Promise<AppError> {
  const error = await verifying.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
  return error;
}

test('verify reads only from the replica and is recorded on the primary; a difference is found there, and --repair is on the primary', async () => {
  const { target, standby, env } = await startPair();
  const before = await countScans(target);

  const equal = await runCommand(['verify'], { env });
  expect(equal).toMatchObject({
    code: 0,
    stdout: 'Verified: every current figure matches the tables\n',
  });
  expect(equal.stderr).toContain(`verified on the replica 127.0.0.1:${standby.port}, which was `);
  expect(await countScans(target)).toEqual(before);
  expect(await recordsOf(target)).toEqual([{ differences: 0 }]);

  await target.query(
    `update registry_stats.count_rollup set row_count = row_count + 1
    where source = 'work_items'`,
  );
  const beforeDrift = await countScans(target);
  const drift = await runCommand(['verify', '--json'], { env });
  expect(drift.code).toBe(11);
  const { count } = JSON.parse(drift.stdout) as { count: number };
  expect(count).toBeGreaterThan(0);
  expect(await countScans(target)).toEqual(beforeDrift);
  expect(await recordsOf(target)).toEqual([{ differences: 0 }, { differences: count }]);

  const repaired = await runCommand(['verify', '--repair'], { env });
  expect(repaired).toMatchObject({
    code: 0,
    stderr: expect.not.stringContaining('replica') as string,
  });
  // The replica is given time to replay the repair.
  expect(await runCommand(['verify'], { env })).toMatchObject({ code: 0 });
  const beforePrimary = await countScans(target);
  expect(await runCommand(['verify', '--primary'], { env })).toMatchObject({ code: 0 });
  expect(await countScans(target)).not.toEqual(beforePrimary);
});

test('a replica that is away is a missed verification with its reason, and the daemon continues', async () => {
  const { target, standby, env } = await startPair();
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: standby.port });
  const daemon = await startDaemon({
    env: {
      ...env,
      ...noSchedule,
      VERIFY_DB_PORT: String(proxy.port),
      VERIFY_SCHEDULE: '* * * * * *',
      LOG_SQL: 'true',
    },
  });
  await untilRuns(daemon, 'start');
  const verified = await daemon.untilLine(byReplica);
  expect(verified).toMatchObject({ level: 'info', replica: `127.0.0.1:${proxy.port}` });
  expect(verified.msg).toMatch(
    /^verified in \d+ ms on the replica .+: every current figure matches/,
  );

  await proxy.cut();
  const missed = await daemon.untilLine('could not be verified on the replica');
  expect(missed.level).toBe('warn');
  expect(missed.msg).toMatch(
    /^the statistics could not be verified on the replica: expected a replica to verify on at 127\.0\.0\.1:\d+, found: .+; hint: check VERIFY_DB_HOST and VERIFY_DB_PORT; `registry-stats verify --primary` reads from DB_HOST$/,
  );
  daemon.kill('SIGUSR2');
  await untilRuns(daemon, 'signal');
  await proxy.restore();
  await untilVerified(daemon);

  // A reload while the verification waits for the replica lets it finish.
  const misses = countLines(daemon, 'could not be verified');
  await standby.target.query('select pg_wal_replay_pause()');
  await target.query(`comment on database ${target.name} is 'more to replay'`);
  await untilWaiting(daemon);
  daemon.kill('SIGHUP');
  await daemon.untilLine('settings reloaded');
  await standby.target.query('select pg_wal_replay_resume()');
  expect((await untilVerified(daemon)).msg).toMatch(/which was \d+\.\d s behind/);
  expect(countLines(daemon, 'could not be verified')).toBe(misses);
  expect(messages(daemon, 'error')).toEqual([]);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
});

function countLines(daemon: Program, text: string): number {
  return messages(daemon).filter((message) => message.includes(text)).length;
}

/** Waits for a verification on the replica that ends from now on. */
function untilVerified(daemon: Program): Promise<LogLine> {
  const begin = daemon.lines.length;
  return daemon.until('another verification', () =>
    daemon.lines.slice(begin).find(({ msg }) => msg.includes(byReplica)),
  );
}

/** Waits until a verification has found the replica behind: one that does not checks three times. */
function untilWaiting(daemon: Program): Promise<boolean> {
  return daemon.until('a verification that waits', () => {
    const last = daemon.lines.findLastIndex(({ msg }) => msg.includes(byReplica));
    const checks = daemon.lines
      .slice(last + 1)
      .filter(({ sql }) => typeof sql === 'string' && sql.includes('pg_last_wal_replay_lsn'));
    return checks.length > 3;
  });
}

test('a replica that is too far behind is named with its lag, and one that catches up is read', async () => {
  const { target, standby } = await startPair();
  const servers = { database: target.database, replica: open(standby.target) };
  await target.query(`comment on database ${target.name} is 'a transaction to replay'`);
  await standby.caughtUp();
  await standby.target.query('select pg_wal_replay_pause()');
  await target.query(`update registry_stats.count_rollup set row_count = row_count + 1`);

  const behind = await failureOf(verifyFrom(servers, { longestLagMs: 500 }));
  expect(behind).toMatchObject({ code: 'REPLICA_UNUSABLE', exitCode: 5 });
  expect(behind.message).toMatch(
    /^expected a replica to verify on at 127\.0\.0\.1:\d+, found: it is \d+ bytes of WAL behind; its last transaction: \d{4}-.+Z$/,
  );

  const checks = vi.spyOn(servers.replica, 'read');
  const verifying = verifyFrom(servers);
  await eventually('a replica found behind', () => checks.mock.calls.length > 1);
  await standby.target.query('select pg_wal_replay_resume()');
  const { count, replica } = await verifying;
  expect(count).toBeGreaterThan(0);
  expect(replica?.lagMs).toBeGreaterThan(0);
});

test('only a standby of the same cluster and database is read', async () => {
  const { target, standby } = await startPair();
  const { database } = target;
  const replica = open(standby.target);
  const found = async (servers: Parameters<typeof verifyFrom>[0]): Promise<string> =>
    (await failureOf(verifyFrom(servers))).message.replace(/^.+, found: /, '');

  expect(await found({ database, replica: open(target) })).toBe(
    'a server that is not in recovery, so not a standby',
  );
  expect(await found({ database, replica: open(standby.target, 'postgres') })).toMatch(
    /^another database: oid \d+, not \d+$/,
  );
  const elsewhere = await createTestDatabase();
  expect(await found({ database: elsewhere.database, replica })).toMatch(
    /^a standby of another cluster: system identifier \d+, not \d+$/,
  );
  expect(await recordsOf(target)).toEqual([]);
});

test('a verification that a recovery conflict cancels names the settings of the replica', async () => {
  const { target, standby } = await startPair({ max_standby_streaming_delay: '0' });
  await target.query('create table public.churn as select 1 as number');
  await target.query(
    `create or replace function registry_stats.differences(source text)
    returns table (view text, key text, expected text, found text)
    language plpgsql stable
    as $$ begin perform pg_sleep(60); end $$`,
  );
  await standby.caughtUp();
  const servers = { database: target.database, replica: open(standby.target) };
  const failing = failureOf(verifyFrom(servers));
  await eventually('a sleeping verification', async () => {
    return (await countSleeping(standby.target)) === 1;
  });
  await target.query('delete from public.churn');
  await target.query('vacuum public.churn');

  const { message, hint } = await failing;
  expect(message).toContain('conflict with recovery (40001); detail: ');
  expect(hint).toContain('hot_standby_feedback = on');
  expect(hint).toContain('max_standby_streaming_delay');
});
