import { realpath } from 'node:fs/promises';
import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import type { Identity } from './identity.js';
import { serverHost } from './launch.js';
import { readPidFile } from './postmaster.js';
import { codeOf } from './unavailable.js';

const connectTimeoutMs = 5_000;

/** A session on the server of a cluster that holds its locks; `isLost` once it has ended. */
export interface LockConnection {
  readonly client: Client;
  readonly socket: Socket;
  readonly port: number;
  readonly pid: number;
  isLost(): boolean;
  close(): Promise<void>;
}

/** Nobody serves the cluster at the moment, or it is shutting down or coming up. */
export interface NoAnswer {
  client: undefined;
  cause: unknown;
}

/**
 * Connects to the server of a cluster, found by its pid file and proved to be ours by the
 * password and by the directory it works in: a copy of a cluster knows the password too.
 */
export async function connectToCluster(
  cluster: string,
  identity: Identity,
): Promise<LockConnection | NoAnswer> {
  const { pid, port } = (await readPidFile(cluster)) ?? {};
  if (pid === undefined || port === undefined) return { client: undefined, cause: undefined };

  // A socket of our own, because pg's types do not offer to unref one.
  const socket = new Socket();
  const { user, password } = identity;
  const client = new Client({
    host: serverHost,
    port,
    user,
    password,
    database: 'postgres',
    ssl: false,
    application_name: 'registry-stats embedded',
    connectionTimeoutMillis: connectTimeoutMs,
    stream: () => socket,
  });
  let isLost = false;
  client.on('end', () => (isLost = true));
  // Without a listener a terminated session would end this process.
  client.on('error', () => (isLost = true));
  const close = async () => {
    socket.ref();
    await client.end().catch(() => undefined);
    socket.destroy();
  };
  try {
    await client.connect();
    await client.query(`set idle_session_timeout = 0`).catch(() => undefined);
    const directory = await workingDirectory(client);
    if (directory === (await realpath(cluster))) {
      return { client, socket, port, pid, isLost: () => isLost, close };
    }
    await close();
    return { client: undefined, cause: new Error(`port ${port} belongs to ${directory}`) };
  } catch (cause) {
    await close();
    return { client: undefined, cause };
  }
}

/** The server answered, and does not know our password. */
export function isRefusal(cause: unknown): boolean {
  return cause instanceof DatabaseError && (codeOf(cause) ?? '').startsWith('28');
}

async function workingDirectory(client: Client): Promise<string> {
  const { rows } = await client.query<{ directory: string }>(
    `select current_setting('data_directory') as directory`,
  );
  const directory = rows[0]?.directory ?? '';
  return realpath(directory).catch(() => directory);
}
