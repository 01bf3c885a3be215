import path from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { acquireEmbeddedServer } from '../../src/dev/embedded/index.js';
import { migrate } from '../../src/schema/migrate.js';
import { readSqlFiles, type SqlFiles } from '../../src/schema/sql-files.js';
import { openTestDatabase, type TestServer } from './server.js';
import { migrateQuietly } from './migrate-options.js';

declare module 'vitest' {
  interface ProvidedContext {
    server: TestServer;
    /** Templates for the databases of tests: legacy and fully migrated. */
    templates: { readonly baseline: string; readonly migrated: string };
  }
}

/** Starts one PostgreSQL for all tests, with templates to clone. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, release } = await startServer();
  const prefix = `registry_stats_test_${process.pid}`;
  const templates = { baseline: `${prefix}_baseline`, migrated: `${prefix}_migrated` };
  const files = await readSqlFiles();
  const [first] = files.migrations;
  if (first === undefined) throw new Error('no migrations found');
  await administer(server, [`create database ${templates.baseline}`]);
  await migrateTemplate(server, templates.baseline, {
    ...files,
    migrations: [first],
    functions: [],
  });
  await administer(server, [
    `create database ${templates.migrated} template ${templates.baseline}`,
  ]);
  await migrateTemplate(server, templates.migrated, files);
  project.provide('server', { ...server, prefix });
  project.provide('templates', templates);
  return async () => {
    await administer(
      server,
      Object.values(templates).map((name) => `drop database ${name} with (force)`),
    );
    await release();
  };
}

type Server = Omit<TestServer, 'prefix'>;

/** Starts an embedded server by default; else uses the caller's server or a container. */
async function startServer(): Promise<{ server: Server; release: () => Promise<void> }> {
  const url = process.env['TEST_DATABASE_URL'];
  if (url !== undefined && url !== '') {
    return { server: parseUrl(url), release: () => Promise.resolve() };
  }
  if (process.env['TEST_DATABASE'] === 'container') return startContainer();
  const embedded = await acquireEmbeddedServer({
    dataDir: path.resolve('.data/test'),
    settings: {
      fsync: 'off',
      full_page_writes: 'off',
      max_connections: '200',
      max_prepared_transactions: '50',
      wal_level: 'logical',
    },
  });
  const { host, port, user, password } = embedded;
  return { server: { host, port, user, password }, release: () => embedded.release() };
}

async function startContainer(): Promise<{ server: Server; release: () => Promise<void> }> {
  const { PostgreSqlContainer } = await import('@testcontainers/postgresql');
  const image = process.env['TEST_DATABASE_IMAGE'] ?? 'postgres:17';
  const container = await new PostgreSqlContainer(image)
    .withCommand(
      [
        'fsync=off',
        'max_connections=200',
        'max_prepared_transactions=50',
        'wal_level=logical',
      ].flatMap((setting) => ['-c', setting]),
    )
    .start();
  const server = {
    host: container.getHost(),
    port: container.getPort(),
    user: container.getUsername(),
    password: container.getPassword(),
  };
  const release = async (): Promise<void> => {
    await container.stop();
  };
  return { server, release };
}

function parseUrl(url: string): Server {
  const { hostname, port, username, password } = new URL(url);
  return {
    host: hostname,
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}

async function administer(server: Server, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ ...server, database: 'postgres' });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

async function migrateTemplate(server: Server, template: string, files: SqlFiles): Promise<void> {
  const database = openTestDatabase(server, template);
  try {
    await migrate(database, {
      files,
      ...migrateQuietly,
    });
  } finally {
    await database.close();
  }
}
