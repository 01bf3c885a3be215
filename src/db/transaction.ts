import type pg from 'pg';

export interface TransactionOptions {
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** Aborting it cancels the running statement on the server. */
  readonly signal?: AbortSignal;
  /** Aborting it closes the connection, for a server that ignores its own timeouts. */
  readonly giveUp?: AbortSignal;
  /** One snapshot for all statements, instead of one per statement. */
  readonly isolation?: 'repeatable read';
  /** Receives the server's notices, such as progress. */
  readonly onNotice?: (message: string) => void;
}

/** Runs one statement and returns its rows. */
export type Query = <Row extends pg.QueryResultRow>(
  text: string,
  values?: unknown[],
) => Promise<Row[]>;

export interface Transaction {
  readonly query: Query;
  /** The connection, for scripts of several statements and for COPY. */
  readonly client: pg.ClientBase;
}
