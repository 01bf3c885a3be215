import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { TestDatabase } from './test-database.js';

const execute = promisify(execFile);

/** Finds PostgreSQL's programs, in PG_BIN or on PATH. */
const locate = (tool: string): string => path.join(process.env['PG_BIN'] ?? '', tool);

/**
 * Returns whether pg_dump is as new as the server; an older one refuses it. Throws if PG_BIN has an
 * older one.
 */
export async function hasTools({ query }: TestDatabase): Promise<boolean> {
  const [server] = await query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  const found = await execute(locate('pg_dump'), ['--version']).then(
    ({ stdout }) => Number(/(\d+)\./.exec(stdout)?.[1]),
    () => 0,
  );
  const major = Number(server?.major);
  if (found >= major) return true;
  if (process.env['PG_BIN'] === undefined) return false;
  throw new Error(
    `expected pg_dump ${String(major)} or newer in PG_BIN, found ${found === 0 ? 'none' : String(found)}`,
  );
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Runs one of PostgreSQL's programs on a test database. */
export async function runTool(
  tool: 'pg_dump' | 'pg_restore' | 'psql',
  args: readonly string[],
  database: string,
  login: Login = inject('server'),
): Promise<void> {
  const { host, port } = inject('server');
  const env = {
    PATH: process.env['PATH'],
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: login.user,
    PGPASSWORD: login.password,
  };
  await execute(locate(tool), ['--no-password', `--dbname=${database}`, ...args], { env });
}
