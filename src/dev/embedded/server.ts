import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { readFile, readlink, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { platform } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { errorCodeOf } from '../../db/sqlstate.js';
import type { Binaries } from './binaries.js';
import type { Account } from './place.js';
import { messageOf, unavailable } from './unavailable.js';

export const serverHost = '127.0.0.1';

/** A cluster, its programs and its account. */
export interface Installation {
  readonly cluster: string;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
}

// With fsync the data survives a crash; the last commits may be lost. Time zone as on RDS. No
// sockets, because their path may be too long.
const defaultSettings = {
  listen_addresses: serverHost,
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'off',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  max_connections: '100',
  timezone: 'UTC',
};

const wait = ['--silent', '--wait', '--timeout=60'];

// Messages of the server or pg_ctl after which a retry may succeed: the port was taken, another
// start was first, a killed server still has a backend, or another process stopped it. LC_ALL=C
// keeps them English.
const worthAnotherTry =
  /could not create any TCP\/IP sockets|lock file ".*" (already exists|is empty)|PID file ".*" is empty|shared memory block .* is still in use|received (fast|smart) shutdown request/;

// The server writes its pid right after creating the file.
const unwrittenMs = 5_000;

/**
 * Starts the server and waits until it accepts connections. Returns undefined, or the reason for a
 * retry: another process was first, or the server is recovering.
 */
export async function startServer(
  installation: Installation,
  settings: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Error | undefined> {
  const { cluster } = installation;
  const all = { ...defaultSettings, ...settings, port: String(await freePort()) };
  await removeStalePidFile(cluster);
  const logFile = join(cluster, 'postgres.log');
  const { length } = await readLog(logFile);
  const args = ['start', ...wait, '--log=postgres.log', `--options=${serverOptions(cluster, all)}`];
  try {
    await runProgram(installation, cluster, 'pg_ctl', args, signal);
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    const log = (await readLog(logFile)).subarray(length).toString().trim();
    const found = log === '' ? messageOf(error) : log.split('\n').slice(-20).join('\n');
    if (worthAnotherTry.test(found) || (await isServed(cluster))) return new Error(found);
    throw unavailable(`expected PostgreSQL to start, found that it ended: ${found}`, {
      hint: `see ${logFile}`,
      cause: error,
    });
  }
}

/** Ends all sessions, writes a checkpoint, and waits for the end of the server. */
export async function stopServer(installation: Installation): Promise<void> {
  const { cluster } = installation;
  // A stale pid may belong to another process.
  if (!(await isServed(cluster))) return;
  try {
    await runProgram(installation, cluster, 'pg_ctl', ['stop', ...wait, '--mode=fast']);
  } catch (cause) {
    if (!(await isServed(cluster))) return;
    // A server rewrites its pid file, so pg_ctl may find it empty.
    if (messageOf(cause).includes('is empty')) return stopServer(installation);
    throw unavailable(
      `expected the embedded server to stop within 60 s, found: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/**
 * Returns whether a server is starting, ready or stopping on this cluster. `pg_ctl status` cannot:
 * it accepts any process of its own account.
 */
export async function isServed(cluster: string): Promise<boolean> {
  const { pid } = readPidFile(cluster) ?? {};
  if (pid === undefined || !isAlive(pid)) return false;
  if (platform() !== 'linux') {
    const ps = promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)]);
    const { stdout } = await ps.catch(() => ({ stdout: '' }));
    return stdout.includes('postgres') && stdout.includes(cluster);
  }
  try {
    // A server's working directory is its data directory. A zombie has none.
    return (await readlink(`/proc/${pid}/cwd`)) === cluster;
  } catch (error) {
    // Without permission, assume another user's server and wait.
    return errorCodeOf(error) === 'EACCES' || errorCodeOf(error) === 'EPERM';
  }
}

/** Reads the pid, port and state from postmaster.pid. */
export function readPidFile(cluster: string) {
  try {
    const content = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
    const [pid, , , port] = content.split('\n').map((line) => parseInt(line, 10) || undefined);
    return { content, pid, port };
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Runs a PostgreSQL program in `folder`. An abort interrupts it: `initdb` removes its files,
 * `pg_ctl start` ends the server. Throws the program's stderr.
 *
 * It runs in a session of its own. A terminal that closes sends SIGHUP to every process in the
 * foreground, and `pg_ctl start` would end without ending the server.
 */
export async function runProgram(
  { account, binaries }: Omit<Installation, 'cluster'>,
  folder: string,
  name: 'initdb' | 'pg_ctl',
  args: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const child = spawn(join(binaries.dir, 'bin', name), args, {
    ...account,
    cwd: folder,
    detached: true,
    // An empty environment: the developer's PG* variables must not reach the server. HOME must be
    // readable for the account. With PGDATA, pg_ctl accepts any path.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: folder, LC_ALL: 'C', PGDATA: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal && { signal, killSignal: 'SIGINT' }),
  });
  const ended = new Promise<string | number | null>((resolve, reject) => {
    child.once('error', (error) => {
      // Wait for the end of the program after an abort, too.
      if (signal?.aborted !== true) reject(error);
    });
    child.once('close', (code, killedBy) => {
      resolve(killedBy ?? code);
    });
  });
  const [end, complaint] = await Promise.all([ended, text(child.stderr)]);
  if (end !== 0) throw new Error(`${name} ended with ${end ?? 'nothing'}: ${complaint.trim()}`);
}

/**
 * Removes the pid file of a killed server if another process has its pid now: the server would
 * refuse to replace it. Containers use the same few pids at every start. The server itself replaces
 * the file of a dead pid.
 */
async function removeStalePidFile(cluster: string): Promise<void> {
  const stale = readPidFile(cluster);
  if (stale === undefined || (await isServed(cluster))) return;
  const file = join(cluster, 'postmaster.pid');
  if (stale.pid === undefined) {
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs < unwrittenMs) return;
  } else if (!isAlive(stale.pid)) return;
  // No pause between these two: another process may have removed the file, and its server needs
  // longer than this to write the next one.
  if (readPidFile(cluster)?.content === stale.content) rmSync(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCodeOf(error) === 'EPERM';
  }
}

/**
 * Returns options for the server. pg_ctl passes them to a shell. The cluster's name appears in
 * `ps`, where macOS lets us find it.
 */
function serverOptions(cluster: string, settings: Readonly<Record<string, string>>): string {
  const quoted = (argument: string) => `'${argument.replaceAll(`'`, `'\\''`)}'`;
  const pairs = Object.entries(settings).map(([key, value]) => `-c ${quoted(`${key}=${value}`)}`);
  return `-D ${quoted(cluster)} ${pairs.join(' ')}`;
}

function readLog(file: string): Promise<Buffer> {
  return readFile(file).catch(() => Buffer.alloc(0));
}

/** Returns a free port; another process may take it first. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, serverHost);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
