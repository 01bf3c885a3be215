import { expect, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';
import { startStandby } from './support/standby.js';

const readOnly = 'the database takes no writes; runs wait until it is back';

function told(daemon: Program): string[] {
  return messages(daemon, 'error').map((message) => message.replace(/127\.0\.0\.1:\d+/, 'there'));
}

/** Existing sessions keep their setting, as they keep their server in a failover. */
async function endSessions({ query }: TestDatabase): Promise<void> {
  await query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = current_database() and application_name = 'registry-stats'`,
  );
}

test('default_transaction_read_only is respected and logged once, and the daemon waits on new connections', async () => {
  const target = await databaseWithWork();
  const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  await target.query(`alter database ${target.name} set default_transaction_read_only = on`);
  await endSessions(target);
  await daemon.untilLine(readOnly);
  const [before] = await target.query('select max(last_check) from registry_stats.job');
  expect(told(daemon)).toEqual([
    `${readOnly}: expected PostgreSQL at there to take writes, found: ` +
      'a standby, or default_transaction_read_only is on (25006)',
  ]);
  expect(await target.query('select max(last_check) from registry_stats.job')).toEqual([before]);

  await target.query(`alter database ${target.name} reset default_transaction_read_only`);
  await expectRecovered(target, daemon);
});

test('a daemon that starts on a read-only database waits, and works when it takes writes', async () => {
  const target = await databaseWithWork();
  await target.query(`alter database ${target.name} set default_transaction_read_only = on`);
  const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
  await daemon.untilLine(readOnly);
  await target.query(`alter database ${target.name} reset default_transaction_read_only`);
  await expectRecovered(target, daemon);
});

test('a standby is logged once, and the daemon returns to the primary although the standby still responds', async () => {
  const { server, standby, upstream, proxy, daemon } = await startPair();
  const primary = upstream.port;
  upstream.port = standby.port;
  await proxy.cut();
  await proxy.restore();
  await daemon.untilLine(readOnly);
  // The connections to the standby remain; only new ones reach the primary.
  upstream.port = primary;
  await expectRecovered(server.target, daemon);
});

test('a promoted standby is used, with everything committed', async () => {
  const { server, standby, upstream, proxy, daemon } = await startPair();
  await standby.caughtUp();
  await server.stop('immediate');
  await proxy.cut();
  upstream.port = standby.port;
  await proxy.restore();
  await daemon.untilLine('; runs wait until it is back');
  await standby.promote();
  await expectRecovered(standby.target, daemon);
});

/** Starts a primary with a standby, and a daemon that connects to the primary through a proxy. */
async function startPair() {
  const server = await startOwnServer();
  const standby = await startStandby(server);
  const upstream = { host: '127.0.0.1', port: Number(server.target.env['DB_PORT']) };
  const proxy = await startTcpProxy(upstream);
  const env = { ...server.target.env, ...sceneSettings, DB_PORT: String(proxy.port) };
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  return { server, standby, upstream, proxy, daemon };
}
