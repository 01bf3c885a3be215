import type pg from 'pg';

export interface TransactionOptions {
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** Aborting it cancels the running statement on the server. */
  readonly signal?: AbortSignal;
  /** Aborting it breaks the connection: for a server that is silent beyond its own timeouts. */
  readonly giveUp?: AbortSignal;
  /** One snapshot for all statements, instead of one each. */
  readonly isolation?: 'repeatable read';
  /** What the server's functions tell on their way, such as progress. */
  readonly onNotice?: (message: string) => void;
}

/** Runs one statement; returns its rows. */
export type Query = <Row extends pg.QueryResultRow>(
  text: string,
  values?: unknown[],
) => Promise<Row[]>;

/** An open transaction. */
export interface Transaction {
  readonly query: Query;
  /** The connection itself, for what `query` cannot do: scripts of several statements, COPY. */
  readonly client: pg.ClientBase;
}
