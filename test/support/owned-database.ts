import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Database } from '../../src/db/database.js';
import { migrate } from '../../src/schema/migrate.js';
import { readSqlFiles, sqlRoot } from '../../src/schema/sql-files.js';
import { loadCsv } from './load-csv.js';
import { runScript } from './run-script.js';
import { openTestDatabase } from './server.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';
import { migrateQuietly } from './migrate-options.js';

const password = 'of a test';

/** A role that can log in, and ways to use it. */
export interface Login {
  readonly role: string;
  readonly database: Database;
  /** Opens another pool, whose sessions start with the role's current settings. */
  readonly reopen: () => Database;
  readonly env: TestDatabase['env'];
  readonly session: () => Promise<pg.Client>;
}

/** A live Registry database whose objects belong to an ordinary role. */
export interface OwnedDatabase {
  /** The superuser's view, for checks and for writes by others. */
  readonly target: TestDatabase;
  readonly owner: Login;
  /** The daemon's role, created by sql/roles.sql with a name of this test. */
  readonly daemonRole: string;
  /** A login role that is only in the daemon's role. */
  readonly daemon: Login;
}

/** Creates an empty database whose owner may create objects in `public`. */
export async function createEmptyOwnedDatabase(): Promise<Omit<OwnedDatabase, 'daemonRole'>> {
  const target = await createTestDatabase('empty');
  const owner = await createLogin(target, 'owner', 'createrole');
  const daemon = await createLogin(target, 'login');
  await target.query(`grant create on database ${target.name} to ${owner.role}`);
  await target.query(`grant create on schema public to ${owner.role}`);
  return { target, owner, daemon };
}

/** Creates the legacy state with fixtures. */
export async function createLegacyOwnedDatabase(): Promise<Omit<OwnedDatabase, 'daemonRole'>> {
  const { target, owner, daemon } = await createEmptyOwnedDatabase();
  const { migrations, ...files } = await readSqlFiles();
  await migrateAs(owner, { ...files, migrations: migrations.slice(0, 1), functions: [] });
  await loadCsv(owner.database);
  return { target, owner, daemon };
}

/** Creates incremental statistics with fixtures, current figures and the daemon's role. */
export async function createOwnedDatabase(): Promise<OwnedDatabase> {
  const { target, owner, daemon } = await createLegacyOwnedDatabase();
  await migrateAs(owner);
  const daemonRole = `${target.name}_daemon`;
  dropAtTheEnd(target, daemonRole);
  const client = await owner.session();
  const problems = await runScript(client, await rolesScript(daemonRole));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  await target.query(`grant ${daemonRole} to ${daemon.role}`);
  return { target, owner, daemonRole, daemon };
}

/** Returns sql/roles.sql with this role name. Roles are shared by all databases of a server. */
export async function rolesScript(daemonRole: string): Promise<string> {
  const text = await readFile(path.join(sqlRoot, 'roles.sql'), 'utf8');
  return text.replaceAll('registry_stats_daemon', daemonRole);
}

export async function migrateAs(
  { database }: Pick<Login, 'database'>,
  files?: Awaited<ReturnType<typeof readSqlFiles>>,
): Promise<void> {
  await migrate(database, {
    files: files ?? (await readSqlFiles()),
    ...migrateQuietly,
  });
}

export async function createLogin(
  target: TestDatabase,
  name: string,
  options = '',
): Promise<Login> {
  const role = `${target.name}_${name}`;
  const server = { ...inject('server'), user: role, password };
  await target.query(`create role ${role} login password '${password}' ${options}`);
  dropAtTheEnd(target, role);
  const open = (): Database => {
    const database = openTestDatabase(server, target.name);
    onTestFinished(() => database.close());
    return database;
  };
  return {
    role,
    database: open(),
    reopen: open,
    env: { ...target.env, DB_USER: role, DB_PASSWORD: password },
    session: async () => {
      const client = new pg.Client({ ...server, database: target.name });
      // A test may terminate its backend on purpose.
      client.on('error', () => undefined);
      await client.connect();
      onTestFinished(() => client.end().catch(() => undefined));
      return client;
    },
  };
}

function dropAtTheEnd({ query }: TestDatabase, role: string): void {
  onTestFinished(async () => {
    await query(`drop owned by ${role} cascade`);
    await query(`drop role ${role}`);
  });
}
