import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cancel } from '../../src/db/backend.js';
import { begin } from '../../src/db/begin.js';
import { createAuthority, type Certificate } from '../support/certificates.js';
import {
  runCommand,
  startDaemon,
  temporaryDirectory,
  type Environment,
  type Program,
} from '../support/program.js';
import { messages, noSchedule, runsOf, untilRuns } from '../support/runs.js';
import { openTestDatabase } from '../support/server.js';
import { eventually } from '../support/slow-job.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { isPgBouncerInstalled, startPgBouncer, type PgBouncer } from './support/pgbouncer.js';
import { expectRecovered, findDifferences } from './support/recovery.js';
import { databaseWithWork, makeWork, sceneSettings } from './support/scene.js';
import { haltAt, runSteps } from './support/steps.js';

if (!isPgBouncerInstalled) {
  process.stderr.write(
    'pgbouncer.test.ts is skipped: expected the command pgbouncer, found none\n',
  );
}

/** Another client of the same pool, such as Registry. */
async function neighbour({ env, port }: PgBouncer): Promise<pg.Client> {
  const { DB_USER: user, DB_PASSWORD: password, DB_NAME: database } = env;
  const client = new pg.Client({ host: '127.0.0.1', port, user, password, database });
  client.on('error', () => undefined);
  await client.connect();
  onTestFinished(() => client.end().catch(() => undefined));
  return client;
}

async function pidOf(client: pg.ClientBase): Promise<unknown> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return rows[0]?.pid;
}

/** Opens our pool through a pooler. */
function openThrough({ env }: Pick<PgBouncer, 'env'>) {
  const { DB_HOST: host = '', DB_USER: user = '', DB_PASSWORD: password = '' } = env;
  const address = { host, port: Number(env['DB_PORT']), user, password };
  const database = openTestDatabase(address, env['DB_NAME'] ?? '');
  onTestFinished(() => database.close());
  return database;
}

const immediately = { statementTimeoutMs: 0, lockTimeoutMs: 0 };

async function statusOf(daemon: Program): Promise<unknown> {
  const { statusUrl = '' } = await daemon.untilLine('started;');
  const response = await fetch(`${statusUrl}/api/status`);
  return response.json();
}

describe.skipIf(!isPgBouncerInstalled)('through PgBouncer', () => {
  test.each([
    ['transaction', 1],
    ['transaction', 2],
    ['session', 8],
  ])('in %s mode with a pool of %i the daemon and every command work', async (mode, size) => {
    const target = await databaseWithWork();
    const bouncer = await startPgBouncer(target, {
      pool_mode: mode,
      default_pool_size: String(size),
    });
    const env = { ...bouncer.env, ...noSchedule };
    const daemon = await startDaemon({ env });
    expect((await untilRuns(daemon, 'start')).map(([, outcome]) => outcome)).toEqual(
      Array(3).fill('refreshed'),
    );
    await makeWork(target);
    daemon.kill('SIGUSR2');
    expect((await untilRuns(daemon, 'signal')).map(([, outcome]) => outcome)).toEqual(
      Array(3).fill('refreshed'),
    );
    expect(await statusOf(daemon)).toMatchObject({ statistics: { mode: 'incremental' } });

    for (const line of [
      'status',
      'verify',
      'refresh',
      'rebuild',
      'rebuild history --since 2020-01-01 --yes',
      'uninstall --yes',
      'migrate --status',
      'migrate',
      'verify',
    ]) {
      const { code, stderr } = await runCommand(line.split(' '), { env });
      expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({
        line,
        code: 0,
        stderr: '',
      });
    }
    daemon.kill('SIGTERM');
    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    expect(messages(daemon, 'error')).toEqual([]);
    expect(await findDifferences({ ...target, env })).toEqual([]);

    const reset = ['reset', '--confirm', target.name, '--sample-data', '2000'];
    expect((await runCommand(reset, { env })).code).toBe(0);
    expect(await findDifferences({ ...target, env })).toEqual([]);
  });

  test('statement mode is refused with one message', async () => {
    const bouncer = await startPgBouncer(await databaseWithWork(), { pool_mode: 'statement' });
    for (const line of ['start', 'status', 'migrate']) {
      const { code, stderr } = await runCommand([line], { env: bouncer.env });
      expect(stderr).toMatch(
        /^registry-stats: DATABASE_REFUSED: .*: transaction blocks not allowed in statement pooling mode \(08P01\)\n {2}hint: the pooler must keep transactions: set its pool_mode to transaction or session\n$/,
      );
      expect(code).toBe(5);
    }
  });

  test.each([
    [
      { DB_PASSWORD: 'wrong' },
      'SASL authentication failed',
      'check DB_NAME, DB_USER and DB_PASSWORD',
    ],
    [
      { DB_NAME: 'none' },
      'database "none" does not exist',
      'check DB_NAME, DB_USER and DB_PASSWORD',
    ],
    [
      { PGOPTIONS: '-c work_mem=1MB' },
      'unsupported startup parameter: options',
      'unset PGOPTIONS, or name it in ignore_startup_parameters of the pooler',
    ],
  ])('with %j it refuses, and the message names the reason', async (wrong, found, hint) => {
    const bouncer = await startPgBouncer(await databaseWithWork());
    const { code, stderr } = await runCommand(['status'], { env: { ...bouncer.env, ...wrong } });
    expect(stderr).toMatch(/^registry-stats: DATABASE_REFUSED: /);
    expect(stderr).toContain(`: ${found} (08P01)\n  hint: ${hint}\n`);
    expect(code).toBe(5);
  });

  test('a stop cancels the run and records it', async () => {
    const target = await databaseWithWork();
    const { daemon } = await heldDaemon(target, 2);
    daemon.kill('SIGTERM');

    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    expect(runsOf(daemon.lines, 'start')[0]?.[1]).toBe('cancelled');
    expect(await target.query('select outcome from registry_stats.run')).toEqual([
      { outcome: 'cancelled' },
    ]);
  });

  test('with a pool of one, which has no connection for a cancel, a stop disconnects the run', async () => {
    const target = await databaseWithWork();
    const { daemon, halt, env } = await heldDaemon(target, 1);
    daemon.kill('SIGTERM');
    expect(await daemon.exited()).toEqual({ code: 0, signal: null });

    await halt.open();
    const next = await startDaemon({ env: { ...env, ...sceneSettings } });
    await expectRecovered(target, next);
    expect(
      await target.query(`select outcome from registry_stats.run where outcome <> 'refreshed'`),
    ).toEqual([{ outcome: 'crashed' }]);
  });

  interface Tls {
    readonly certificate: Certificate;
    readonly env: Environment;
  }

  test('with TLS a stop cancels the run too, and a wrong certificate is refused', async () => {
    const authority = createAuthority();
    const caFile = path.join(await temporaryDirectory(), 'ca.pem');
    await writeFile(caFile, authority.cert);
    const target = await databaseWithWork();
    const { daemon, env } = await heldDaemon(target, 2, {
      certificate: authority.issue({ hosts: ['127.0.0.1'] }),
      env: { DB_USE_SSL: 'true', DB_SSL_CA: caFile },
    });
    daemon.kill('SIGTERM');
    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    expect(runsOf(daemon.lines, 'start')[0]?.[1]).toBe('cancelled');

    await writeFile(caFile, createAuthority('Another').cert);
    const { code, stderr } = await runCommand(['status'], { env });
    expect(stderr).toMatch(/^registry-stats: DATABASE_UNVERIFIED: /);
    expect(code).toBe(5);
  });

  /** Starts a daemon whose run waits before its work. */
  async function heldDaemon(target: TestDatabase, poolSize: number, tls?: Tls) {
    const pool = { default_pool_size: String(poolSize) };
    const bouncer = await startPgBouncer(target, pool, tls?.certificate);
    const env = { ...bouncer.env, ...tls?.env };
    const [, step] = runSteps;
    if (step === undefined) throw new Error('expected a step before the work');
    const halt = await haltAt(target, step);
    const settings = { ...noSchedule, LOCK_TIMEOUT: '2m', SHUTDOWN_TIMEOUT: '1s' };
    const daemon = await startDaemon({ env: { ...env, ...settings } });
    await halt.reached();
    return { daemon, halt, env };
  }

  test('two daemons share the work', async () => {
    const target = await databaseWithWork();
    const bouncer = await startPgBouncer(target, { default_pool_size: '2' });
    const env = { ...bouncer.env, ...sceneSettings };
    const [one, other] = await Promise.all([startDaemon({ env }), startDaemon({ env })]);
    for (const daemon of [one, other]) await untilRuns(daemon, 'schedule', 3);
    other.kill('SIGTERM');
    expect(await other.exited()).toEqual({ code: 0, signal: null });
    await expectRecovered(target, one);
    expect(messages(other, 'error')).toEqual([]);
  });

  for (const step of runSteps) {
    for (const mode of ['fast', 'immediate'] as const) {
      test(`its server is stopped (${mode}) and started ${step.name}`, async () => {
        const server = await startOwnServer();
        const { target } = server;
        const bouncer = await startPgBouncer(target, { server_login_retry: '1' });
        const halt = await haltAt(target, step);
        const daemon = await startDaemon({ env: { ...bouncer.env, ...sceneSettings } });
        await halt.reached();
        await server.stop(mode);
        // The pooler delays the next transaction by up to query_wait_timeout.
        await server.start();
        await halt.open();
        await expectRecovered(target, daemon);
      });
    }

    test(`it is killed and started ${step.name}`, async () => {
      const target = await databaseWithWork();
      const bouncer = await startPgBouncer(target);
      const halt = await haltAt(target, step);
      const daemon = await startDaemon({ env: { ...bouncer.env, ...sceneSettings } });
      await halt.reached();
      await bouncer.stop();
      await daemon.untilLine('the database does not respond; runs wait until it is back');
      await bouncer.start();
      await halt.open();
      await expectRecovered(target, daemon);
    });
  }

  test('a pool that is busy for longer than query_wait_timeout is an outage', async () => {
    const target = await databaseWithWork();
    const bouncer = await startPgBouncer(target, {
      default_pool_size: '1',
      query_wait_timeout: '1',
    });
    const other = await neighbour(bouncer);
    await other.query('begin');
    await pidOf(other);
    const env = { ...bouncer.env, ...sceneSettings, RETRY_ATTEMPTS: '0' };
    const daemon = await startDaemon({ env });
    const line = await daemon.untilLine(
      'the database does not respond; runs wait until it is back',
    );
    expect(line.msg).toContain('found: query_wait_timeout (08P01)');

    await other.query('commit');
    await daemon.untilLine('the database is back');
    await expectRecovered(target, daemon);
  });

  test('a backend that serves another client is not ended for a lost connection', async () => {
    const target = await databaseWithWork();
    const bouncer = await startPgBouncer(target, { default_pool_size: '2' });
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: bouncer.port });
    const database = openThrough({ env: { ...bouncer.env, DB_PORT: String(proxy.port) } });
    let pid: unknown;
    const lost = database.write(immediately, async ({ client }) => {
      pid = await pidOf(client);
      // The transaction is over and the backend back in the pool, but the response is lost.
      await client.query('commit');
      await proxy.cut();
      await client.query('select');
    });
    await expect(lost).rejects.toMatchObject({ code: 'DATABASE_UNREACHABLE' });
    const other = await neighbour(bouncer);
    await other.query('begin');
    expect(await pidOf(other)).toBe(pid);

    await proxy.restore();
    await database.read('select');
    expect(await pidOf(other)).toBe(pid);
    await other.query('commit');
  });

  test('a late cancel does not hit the next client of the backend', async () => {
    const target = await databaseWithWork();
    const bouncer = await startPgBouncer(target, { default_pool_size: '2' });
    const database = openThrough(bouncer);
    const ours = await neighbour(bouncer);
    const place = await begin(ours, 'read only', immediately);
    await ours.query('commit');
    const other = await neighbour(bouncer);
    await other.query('begin');
    expect(await pidOf(other)).toBe(place.pid);
    const keeper = await target.session();
    await keeper.query('select pg_advisory_lock(77)');
    const waiting = other.query('select pg_advisory_xact_lock(77)');
    await eventually('a running statement', async () => {
      const rows = await target.query('select from pg_locks where not granted and pid = $1', [
        place.pid,
      ]);
      return rows.length === 1;
    });

    await cancel(database.options.connection, place);
    await keeper.query('select pg_advisory_unlock(77)');
    await expect(waiting).resolves.toBeDefined();
  });
});
