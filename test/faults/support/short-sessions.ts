import pg from 'pg';
import { onTestFinished } from 'vitest';
import type { TestDatabase } from '../../support/test-database.js';

/** Opens a new session per query, because the server may be stopped. */
export function shortSessions(config: pg.ClientConfig): Pick<TestDatabase, 'session' | 'query'> {
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(config);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  return {
    session: async () => {
      const client = await connect();
      onTestFinished(() => client.end().catch(() => undefined));
      return client;
    },
    query: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) => {
      const client = await connect();
      try {
        return (await client.query<Row>(text, values)).rows;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}
