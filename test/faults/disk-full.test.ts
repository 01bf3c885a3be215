import { spawnSync } from 'node:child_process';
import { cpSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startDaemon } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { expectRecovered } from './support/recovery.js';
import { makeWork, sceneSettings } from './support/scene.js';
import { mountSmallDisk } from './support/small-disk.js';

const noSpace = 'No space left on device';
/** Each run logs its failure, once a second. */
const everyTime = { times: 1_000 };

/** Moves the database to a tablespace; the server's own files are elsewhere. */
async function moveTo(folder: string, { env, name }: TestDatabase): Promise<void> {
  const client = new pg.Client({
    host: env['DB_HOST'],
    port: Number(env['DB_PORT']),
    user: env['DB_USER'],
    password: env['DB_PASSWORD'],
    database: 'postgres',
  });
  await client.connect();
  await client.query(`create tablespace small location '${folder}'`);
  await client.query(
    'select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1',
    [name],
  );
  await client.query(`alter database ${name} set tablespace small`);
  await client.end();
}

function unlessDiskFull(error: Error & { code?: string }): { rows: [] } {
  if (error.code !== '53100') throw error;
  return { rows: [] };
}

for (const [where, arrange] of [
  ['in a run', 'select'],
  [
    'in a rebuild',
    `alter table public.generic_files disable trigger registry_stats_insert;
    alter table public.generic_files enable trigger registry_stats_insert`,
  ],
] as const) {
  test(`a full disk ${where} is reported, fails only statements that need space, and the daemon recovers`, async (context) => {
    const { target, cluster } = await startOwnServer();
    const disk = mountSmallDisk(context, cluster, '64m');
    await moveTo(disk.folder, target);
    const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
    await untilRuns(daemon, 'start');
    const registry = await target.session();
    await disk.fill();
    await registry.query(arrange);
    // Registry's rows need space too. Then its writers get the same error as without capture.
    await makeWork({
      query: async <Row extends pg.QueryResultRow>(text: string) =>
        (await registry.query<Row>(text).catch(unlessDiskFull)).rows,
    });
    const failed = await daemon.untilLine(noSpace);
    expect(failed.msg).toMatch(
      /^(counts|current deposits) failed: the server of database "\w+" at \S+ has no disk space left: could not (extend|write|create)/,
    );

    disk.free();
    await expectRecovered(target, daemon, everyTime);
  });
}

test('a server ended by a full log disk is logged once, and the daemon waits', async (context) => {
  const server = await startOwnServer({ min_wal_size: '32MB', max_wal_size: '64MB' });
  const { target, cluster } = server;
  const disk = mountSmallDisk(context, cluster, '128m');
  await server.stop('fast');
  const wal = path.join(cluster, 'pg_wal');
  const moved = path.join(disk.folder, 'pg_wal');
  cpSync(wal, moved, { recursive: true, preserveTimestamps: true });
  spawnSync('chown', ['-R', '--reference', cluster, moved]);
  rmSync(wal, { recursive: true });
  symlinkSync(moved, wal);
  await server.start();
  const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
  await untilRuns(daemon, 'start');
  await disk.fill();
  await useUpLog(target);
  await daemon.untilLine('the database does not respond; runs wait until it is back');

  disk.free();
  await server.stop('immediate').catch(() => undefined);
  await server.start();
  await expectRecovered(target, daemon, { times: 2 });
  expect(messages(daemon, 'error').length).toBeLessThanOrEqual(2);
});

/** Switches the WAL until no space is left for a segment. */
async function useUpLog(target: TestDatabase): Promise<void> {
  const session = await target.session();
  try {
    for (let times = 0; times < 100; times++) {
      await session.query('create table if not exists used (n int)');
      await session.query('insert into used select generate_series(1, 1000)');
      await session.query('select pg_switch_wal()');
    }
  } catch {
    return;
  }
  throw new Error('expected the server to end');
}
