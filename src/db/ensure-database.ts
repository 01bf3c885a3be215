import { Client, escapeIdentifier } from 'pg';
import { errorCodeOf } from './sqlstate.js';

// 42P04 duplicate_database; 23505 if two sessions create it at the same time.
const existsAlready = new Set(['42P04', '23505']);

interface Server {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Creates a database if it is missing. Returns true if this call created it. */
export async function ensureDatabase(
  { host, port, user, password }: Server,
  name: string,
): Promise<boolean> {
  const client = new Client({ host, port, user, password, database: 'postgres', ssl: false });
  // The query rejects for a lost connection. Without a listener the process would also end.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 1) return false;
    // template0 accepts no connections, so the copy never waits.
    await client.query(`create database ${escapeIdentifier(name)} template template0`);
    return true;
  } catch (error) {
    if (existsAlready.has(errorCodeOf(error) ?? '')) return false;
    throw error;
  } finally {
    await client.end();
  }
}
