import type pg from 'pg';
import { begin, isHidden, isOfPlace, type Place } from './begin.js';
import { Client } from './client.js';
import { driverConfig, type ConnectionSettings } from './connection.js';

const options = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };

/**
 * Puts a question about a transaction, on the place [$1, $2], to a server that may be silent: on a
 * connection of its own, and for no longer than the wait for a connection.
 */
export async function askAbout<Row extends pg.QueryResultRow>(
  connection: ConnectionSettings,
  { pid, since }: Place,
  question: string,
): Promise<Row[]> {
  const client = new Client({
    ...driverConfig(connection),
    query_timeout: connection.connectTimeoutMs,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await begin(client, 'read only', options);
    return (await client.query<Row>(question, [pid, since])).rows;
  } finally {
    // Not waited for: a server that is silent takes no part in it.
    void client.end().catch(() => undefined);
  }
}

/** Asks the server to cancel what a transaction is doing. */
export async function cancel(connection: ConnectionSettings, place: Place): Promise<void> {
  const [backend] = await askAbout<{ isCancelled: boolean | null }>(
    connection,
    place,
    cancelQuestion,
  );
  if (backend?.isCancelled === null) {
    throw new Error('the server does not show this role its own transaction');
  }
}

/** No row once it has ended. NULL where it is not shown: by then the backend may serve another. */
const cancelQuestion = `
  select case when ${isOfPlace} then pg_catalog.pg_cancel_backend(pid) end as "isCancelled"
  from pg_catalog.pg_stat_activity
  where pid = $1
    and (${isHidden} or ${isOfPlace})`;
