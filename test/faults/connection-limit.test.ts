import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';

const down = 'the database does not respond; runs wait until it is back';

/** Creates a role with the owner's rights. Connection limits do not apply to superusers. */
async function ordinaryRole(target: TestDatabase): Promise<Readonly<Record<string, string>>> {
  const role = `${target.name}_role`;
  await target.query(
    `create role ${role} login password 'secret' in role ${target.env['DB_USER']}`,
  );
  onTestFinished(async () => {
    await target.query(`drop role ${role}`).catch(() => undefined);
  });
  return { ...target.env, DB_USER: role, DB_PASSWORD: 'secret' };
}

async function endSessions({ query }: TestDatabase): Promise<void> {
  await query(
    `select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where application_name = 'registry-stats' and datname = current_database()`,
  );
}

async function expectToldOnce(daemon: Program, reason: string): Promise<void> {
  await daemon.untilLine(down);
  expect(messages(daemon, 'error')).toEqual([expect.stringContaining(reason)]);
}

test('the connection limit of its role is logged once, and the daemon waits', async () => {
  const target = await databaseWithWork();
  const env = await ordinaryRole(target);
  const daemon = await startDaemon({ env: { ...env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  await target.query(`alter role ${env['DB_USER']} connection limit 0`);
  await endSessions(target);
  await expectToldOnce(daemon, `too many connections for role "${env['DB_USER']}" (53300)`);

  await target.query(`alter role ${env['DB_USER']} connection limit -1`);
  await expectRecovered(target, daemon);
});

test('a daemon that starts without a free connection waits for one', async () => {
  const target = await databaseWithWork();
  const env = await ordinaryRole(target);
  await target.query(`alter role ${env['DB_USER']} connection limit 0`);
  const daemon = await startDaemon({ env: { ...env, ...sceneSettings } });
  await expectToldOnce(daemon, `too many connections for role "${env['DB_USER']}" (53300)`);

  await target.query(`alter role ${env['DB_USER']} connection limit -1`);
  await expectRecovered(target, daemon);
});

test('a full server is logged once, and the daemon waits', async () => {
  const { target } = await startOwnServer({
    max_connections: '12',
    superuser_reserved_connections: '3',
  });
  const env = await ordinaryRole(target);
  const daemon = await startDaemon({ env: { ...env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  const crowd = await fill(env);
  await expectToldOnce(daemon, 'remaining connection slots are reserved for roles with the');

  await Promise.all(crowd.map((client) => client.end()));
  await expectRecovered(target, daemon);

  /** Opens every free connection, including the daemon's. */
  async function fill(as: Readonly<Record<string, string>>): Promise<pg.Client[]> {
    const clients: pg.Client[] = [];
    for (let hasRoom = true; hasRoom;) {
      await endSessions(target);
      const client = new pg.Client({
        host: as['DB_HOST'],
        port: Number(as['DB_PORT']),
        user: as['DB_USER'],
        password: as['DB_PASSWORD'],
        database: target.name,
      });
      client.on('error', () => undefined);
      hasRoom = await client.connect().then(
        () => true,
        () => false,
      );
      if (hasRoom) clients.push(client);
    }
    onTestFinished(async () => {
      await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    });
    return clients;
  }
});
