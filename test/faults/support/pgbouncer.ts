import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { unprivilegedAccount } from '../../../src/dev/embedded/place.js';
import type { Certificate } from '../../support/certificates.js';
import { temporaryDirectory } from '../../support/program.js';
import { eventually } from '../../support/slow-job.js';
import type { TestDatabase } from '../../support/test-database.js';

/** A PgBouncer for the current test, in front of one server. */
export interface PgBouncer {
  readonly port: number;
  /** The database through the pooler, for the program. */
  readonly env: TestDatabase['env'];
  log(): string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** From the Debian package `pgbouncer`, in /usr/sbin. */
const command = 'pgbouncer';
const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin`;

export const isPgBouncerInstalled =
  spawnSync(command, ['--version'], { env: { PATH } }).status === 0;

/**
 * Starts PgBouncer with settings of pgbouncer.ini. The default is transaction mode. With a
 * certificate it accepts only TLS clients.
 */
export async function startPgBouncer(
  { env }: Pick<TestDatabase, 'env'>,
  settings: Readonly<Record<string, string>> = {},
  certificate?: Certificate,
): Promise<PgBouncer> {
  const { DB_HOST = '', DB_PORT = '', DB_USER = '', DB_PASSWORD = '' } = env;
  // It refuses to run as root.
  const account = await unprivilegedAccount();
  const port = await freePort();
  const directory = await temporaryDirectory();
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(directory, name);
    await writeFile(file, text, { mode: 0o600 });
    if (account !== undefined) await chown(file, account.uid, account.gid);
    return file;
  };
  if (account !== undefined) await chown(directory, account.uid, account.gid);
  const users = await write('userlist.txt', `"${DB_USER}" "${DB_PASSWORD}"\n`);
  const all = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    pool_mode: 'transaction',
    ...(certificate === undefined
      ? {}
      : {
          client_tls_sslmode: 'require',
          client_tls_cert_file: await write('server.crt', certificate.cert),
          client_tls_key_file: await write('server.key', certificate.key),
        }),
    ...settings,
  };
  const ini = await write(
    'pgbouncer.ini',
    [
      '[databases]',
      `* = host=${DB_HOST} port=${DB_PORT}`,
      '[pgbouncer]',
      ...Object.entries(all).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  );

  let child: ChildProcess | undefined;
  let log = '';
  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    // Immediately, like a failed machine.
    child.kill('SIGKILL');
    child = undefined;
    await exited;
  };
  const start = async (): Promise<void> => {
    const from = log.length;
    const started = spawn(command, [ini], {
      ...account,
      env: { PATH },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    started.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child = started;
    await eventually(`PgBouncer to be up: ${log}`, () => log.includes('process up', from));
  };
  await start();
  onTestFinished(stop);
  return { port, env: { ...env, DB_PORT: String(port) }, log: () => log, stop, start };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
