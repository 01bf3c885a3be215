import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Database } from '../../src/db/database.js';
import type { Query } from '../../src/db/transaction.js';
import { openTestDatabase, type TestServer } from './server.js';

/** The database of one test. */
export interface TestDatabase {
  readonly name: string;
  readonly database: Database;
  /** Returns the rows of one statement, outside of a transaction. */
  readonly query: Query;
  /** Opens another session. Closed with the test. */
  readonly session: () => Promise<pg.Client>;
  /** The program's settings for this database. */
  readonly env: Readonly<Record<string, string>>;
}

let created = 0;

/**
 * Creates a database for the current test: a clone of a template, or empty. Drops it after a pass.
 * Keeps and names it after a failure, on a server that outlives the tests.
 */
export async function createTestDatabase(
  kind: 'baseline' | 'migrated' | 'empty' = 'migrated',
): Promise<TestDatabase> {
  const server = inject('server');
  const { prefix, ...address } = server;
  const name = `${prefix}_${process.env['VITEST_WORKER_ID'] ?? '0'}_${process.pid}_${++created}`;
  const template = kind === 'empty' ? 'template0' : inject('templates')[kind];
  const admin = new pg.Client({ ...address, database: 'postgres' });
  await admin.connect();
  await admin.query(`create database ${name} template ${template}`);

  const database = openTestDatabase(address, name);
  const sessions: pg.Client[] = [];
  const session = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...address, database: name });
    // A test may terminate its backend on purpose.
    client.on('error', () => undefined);
    await client.connect();
    sessions.push(client);
    return client;
  };
  const main = await session();

  onTestFinished(async ({ task }) => {
    const ended = Promise.all(sessions.map((client) => client.end().catch(() => undefined)));
    // A backend that does not end is terminated with its database.
    await Promise.race([ended, sleep(10_000, undefined, { ref: false })]);
    await database.close();
    if (task.result?.state === 'fail' && process.env['TEST_DATABASE_URL'] !== undefined) {
      process.stderr.write(`kept the database of "${task.name}": ${name}\n`);
    } else {
      await dropDatabase(admin, name);
    }
    await admin.end();
  });

  return {
    name,
    database,
    session,
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await main.query<Row>(text, values)).rows,
    env: environmentOf(address, name),
  };
}

/**
 * Drops a database. It waits for all processes of the server, also for those of other tests. If that
 * takes too long, the database stays: the server is removed after the tests.
 */
async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  await admin.query(`set statement_timeout = '30s'`);
  await admin
    .query(`drop database if exists ${name} with (force)`)
    .catch((error: unknown) =>
      process.stderr.write(`kept the database ${name}: ${String(error)}\n`),
    );
}

/** Returns the program's settings for a database of this server. */
export function environmentOf(
  { host, port, user, password }: Omit<TestServer, 'prefix'>,
  name: string,
): TestDatabase['env'] {
  return {
    APT_ENV: 'test',
    DB_HOST: host,
    DB_PORT: String(port),
    DB_NAME: name,
    DB_USER: user,
    DB_PASSWORD: password,
    STATUS_PORT: '0',
  };
}
