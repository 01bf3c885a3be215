import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { ensureDatabase } from '../../src/db/ensure-database.js';
import { acquireEmbeddedServer, type EmbeddedServer } from '../../src/dev/embedded/index.js';
import { runCommand, startDaemon, temporaryDirectory, type Program } from '../support/program.js';
import { removeEmbeddedServer } from '../support/remove-embedded-server.js';
import { messages, noSchedule } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const down = 'the database does not respond; runs wait until it is back';
const name = 'restarted';

function start(dataDir: string): Promise<EmbeddedServer> {
  return acquireEmbeddedServer({ dataDir, settings: { fsync: 'off', shared_buffers: '16MB' } });
}

/** Stops the server like `pg_ctl stop`, without waiting for clients. */
async function stop(dataDir: string): Promise<void> {
  const file = await readFile(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8');
  process.kill(Number(file.split('\n')[0]), 'SIGINT');
}

async function query(server: EmbeddedServer, text: string): Promise<pg.QueryResult> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: name });
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end();
  }
}

async function untilAsleep(server: EmbeddedServer): Promise<void> {
  await expect
    .poll(async () => (await query(server, asleep)).rowCount, { timeout: 45_000, interval: 50 })
    .toBe(1);
}

const asleep = `select from pg_stat_activity where wait_event = 'PgSleep'`;

function setUpdateCounts(server: EmbeddedServer, body: string): Promise<unknown> {
  return query(
    server,
    `create or replace function public.update_counts() returns integer language plpgsql
    as $$ begin ${body} return 1; end $$`,
  );
}

function countOf(daemon: Program, text: string): number {
  return messages(daemon).filter((message) => message.startsWith(text)).length;
}

test('the daemon waits for a server that restarts during a run, and logs each outage once', async () => {
  const dataDir = path.join(await temporaryDirectory(), 'data');
  onTestFinished(() => removeEmbeddedServer(dataDir));
  const first = await start(dataDir);
  await ensureDatabase(first, name);
  const upstream = { host: first.host, port: first.port };
  const proxy = await startTcpProxy(upstream);
  const env = {
    APT_ENV: 'test',
    DB_HOST: '127.0.0.1',
    DB_PORT: String(proxy.port),
    DB_NAME: name,
    DB_USER: first.user,
    DB_PASSWORD: first.password,
    ...noSchedule,
  };
  expect(await runCommand(['migrate'], { env })).toMatchObject({ code: 0 });
  expect(await runCommand(['uninstall', '--yes'], { env })).toMatchObject({ code: 0 });
  await setUpdateCounts(first, 'perform pg_sleep(30);');

  const daemon = await startDaemon({ env: { ...env, RETRY_ATTEMPTS: '1' } });
  await untilAsleep(first);
  await stop(dataDir);
  await daemon.untilLine(down);
  const second = await start(dataDir);
  upstream.port = second.port;
  await daemon.untilLine('the database is back after');
  // The run was repeated with the slow body and stopped again.
  await untilAsleep(second);
  await stop(dataDir);
  await daemon.until('a second outage', () => countOf(daemon, down) === 2);
  const third = await start(dataDir);
  await setUpdateCounts(third, '');
  upstream.port = third.port;

  const line = await daemon.untilLine('counts refreshed (');
  expect(line.trigger).toBe('recovery');
  expect(messages(daemon, 'error')).toHaveLength(2);
  daemon.kill('SIGTERM');
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  await third.release();
});
