import { pino } from 'pino';
import { Database, type DatabaseOptions } from '../../src/db/database.js';

/** The PostgreSQL server of the tests. */
export interface TestServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** The prefix of every database name of this run. */
  readonly prefix: string;
}

const silentLog = pino({ level: 'silent' });

/** Opens a pool on one database of the test server. The caller closes it. */
export function openTestDatabase(
  server: Omit<TestServer, 'prefix'>,
  name: string,
  options: Partial<DatabaseOptions> = {},
): Database {
  const { host, port, user, password } = server;
  const connection = { host, port, user, password, name, ssl: false, connectTimeoutMs: 10_000 };
  return new Database(
    { connection, poolSize: 4, isMaintenance: false, logSql: false, ...options },
    silentLog,
  );
}
