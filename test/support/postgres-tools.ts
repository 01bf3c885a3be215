import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { inject, type TestContext } from 'vitest';
import type { TestDatabase } from './test-database.js';

const execute = promisify(execFile);

/** Where PostgreSQL's own programs are: on PATH, or in PG_BIN. */
const locate = (tool: string): string => path.join(process.env['PG_BIN'] ?? '', tool);

/** Skips the test where there is no pg_dump of this server's major, or of a newer one. */
export async function needTools({ skip }: TestContext, { query }: TestDatabase): Promise<void> {
  const [server] = await query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  const found = await execute(locate('pg_dump'), ['--version']).then(
    ({ stdout }) => Number(/(\d+)\./.exec(stdout)?.[1]),
    () => 0,
  );
  const major = Number(server?.major);
  skip(
    found < major,
    `needs pg_dump, pg_restore and psql ${String(major)} or newer, on PATH or in PG_BIN`,
  );
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

/** Runs one of PostgreSQL's own programs on a database of the test server. */
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
