import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Place } from './place.js';
import { executable, type Runtime } from './runtime.js';
import { serverEnvironment } from './server-environment.js';
import { messageOf, unavailable } from './unavailable.js';

export const serverHost = '127.0.0.1';

/** A server process that was started here; it may still be on its way up, or dead. */
export interface Launch {
  pid: number;
  logFile: string;
  isRunning(): boolean;
  /** It was shut down in the proper way, after it had been up. */
  hasStopped(): boolean;
  /** What it wrote to the log. */
  log(): Promise<string>;
  /** Ends it, if this process must give up on it. */
  abandon(): void;
}

// A crash of the server keeps the data safe (fsync) but may lose the last commits, as no developer
// minds. Time zone as on RDS. Sockets: none, a path under a deep directory would be too long.
const ourSettings: Record<string, string> = {
  listen_addresses: serverHost,
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'off',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  max_connections: '100',
  timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
};

/** Starts the server in a session of its own: Ctrl-C must reach the daemon only, which drains. */
export async function launchPostgres(
  place: Place,
  runtime: Runtime,
  settings: Record<string, string> = {},
): Promise<Launch> {
  const all = { ...ourSettings, ...settings, port: String(await freePort()) };
  const logFile = join(place.dataDir, 'postgres.log');
  const log = await open(logFile, 'a', 0o600);
  try {
    const { size } = await log.stat();
    const child = spawn(
      executable(runtime, 'postgres'),
      [
        '-D',
        place.cluster,
        ...Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
      ],
      {
        ...place.account,
        cwd: place.cluster,
        env: serverEnvironment(place.cluster),
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    await once(child, 'spawn');
    child.unref();
    const pid = child.pid ?? 0;
    return {
      pid,
      logFile,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      hasStopped: () => child.exitCode === 0,
      log: async () => ownLines(await readFile(logFile), size, pid),
      abandon: () => void child.kill('SIGINT'),
    };
  } catch (error) {
    throw unavailable(`expected PostgreSQL to start, found: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await log.close();
  }
}

/** Two servers that start at once write to one log; the line prefix tells them apart. */
function ownLines(log: Buffer, from: number, pid: number): string {
  return log
    .subarray(from)
    .toString()
    .split('\n')
    .filter((line) => line.includes(`[${pid}]`) || !/ \[\d+\] /.test(line))
    .join('\n')
    .trim();
}

/** Free at this moment; whoever starts with it must be ready to lose it. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, serverHost);
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
