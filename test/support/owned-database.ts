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

const password = 'of a test';

/** A role that logs in, and ways to work as it. */
export interface Login {
  readonly role: string;
  readonly database: Database;
  /** Another pool, whose sessions begin with what was set for the role meanwhile. */
  readonly reopen: () => Database;
  readonly env: TestDatabase['env'];
  readonly session: () => Promise<pg.Client>;
}

/** A live Registry's database: everything belongs to a role without any special right. */
export interface OwnedDatabase {
  /** As superuser: to look at it, and to write as anybody. */
  readonly target: TestDatabase;
  readonly owner: Login;
  /** The role of the daemon, made by sql/roles.sql under a name of this test's own. */
  readonly daemonRole: string;
  /** A role that may log in, and is in the daemon's role and no other. */
  readonly daemon: Login;
}

/** Nothing in it yet, and its owner may make anything in `public`. */
export async function createEmptyOwnedDatabase(): Promise<Omit<OwnedDatabase, 'daemonRole'>> {
  const target = await createTestDatabase('empty');
  const owner = await createLogin(target, 'owner', 'createrole');
  const daemon = await createLogin(target, 'login');
  await target.query(`grant create on database ${target.name} to ${owner.role}`);
  await target.query(`grant create on schema public to ${owner.role}`);
  return { target, owner, daemon };
}

/** In the state of 001, with the fixtures in it. */
export async function createPlainOwnedDatabase(): Promise<Omit<OwnedDatabase, 'daemonRole'>> {
  const { target, owner, daemon } = await createEmptyOwnedDatabase();
  const { migrations, ...files } = await readSqlFiles();
  await migrateAs(owner, { ...files, migrations: migrations.slice(0, 1), functions: [] });
  await loadCsv(owner.database);
  return { target, owner, daemon };
}

/** Incremental, with the fixtures in it, all figures shown, and the daemon's role. */
export async function createOwnedDatabase(): Promise<OwnedDatabase> {
  const { target, owner, daemon } = await createPlainOwnedDatabase();
  await migrateAs(owner);
  const daemonRole = `${target.name}_daemon`;
  dropAtTheEnd(target, daemonRole);
  const client = await owner.session();
  const problems = await runScript(client, await rolesScript(daemonRole));
  if (problems.length > 0) throw new Error(problems.join('\n'));
  await target.query(`grant ${daemonRole} to ${daemon.role}`);
  return { target, owner, daemonRole, daemon };
}

/** sql/roles.sql for a role of this name: roles are shared by all databases of a server. */
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
    allowLaunchSchema: true,
    lockTimeoutMs: 5_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
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
      // A test may have its backend terminated on purpose.
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
