import type { Socket } from 'node:net';
import type pg from 'pg';
import { isConnectionLost } from './sqlstate.js';

/** SQL condition: a row of pg_stat_activity for pid $1 belongs to the transaction $2. */
export const isOurTransaction = '(extract(epoch from xact_start) * 1000000)::bigint = $2';

/** SQL condition: the row hides its state, by another role's session or by track_activities. */
export const isHidden = `(state is null or state = 'disabled')`;

/** SQL from clause for a transaction: no row after its end. */
export const fromBackend = `
  from pg_catalog.pg_stat_activity
  where pid = $1
    and ${isOurTransaction}`;

/** The interval of the checks. */
const watchIntervalMs = 10_000;
/** The interval after a check without progress. A response travels for less than this. */
const recheckIntervalMs = 2_000;
/** After this time without contact, the response counts as lost. */
const unreachableMs = 10_000;

/** Waits for the response to a short statement. On timeout, closes the connection. */
export async function responseWithin<Response>(
  timeoutMs: number,
  client: pg.ClientBase,
  response: Promise<Response>,
): Promise<Response> {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // After a pause of this process, the response may be here already. The event loop reads it
    // before the immediate runs.
    immediate = setImmediate(disconnect, client);
  }, timeoutMs);
  try {
    return await response;
  } finally {
    clearTimeout(timer);
    clearImmediate(immediate);
  }
}

/** Runs SQL about a transaction, on another connection. */
export type QueryBackend = (sql: string) => Promise<{ idleState?: string | null }[]>;

/**
 * Closes a connection whose response was lost: neither the server's timeouts nor TCP notice that.
 * It takes two checks, because a response may still be on its way. Returns the function that ends
 * the watch.
 */
export function watchTransaction(client: pg.ClientBase, queryBackend: QueryBackend): () => void {
  let isOver = false;
  let previous: string | undefined;
  let since = 0;
  let timer = setTimeout(check, watchIntervalMs);

  function check(): void {
    void readIdleState(queryBackend).then((idleState) => {
      if (isOver) return;
      if (idleState === undefined || idleState !== previous) since = performance.now();
      const isRepeated = idleState !== undefined && idleState === previous;
      const patienceMs = idleState === unreachable ? unreachableMs : 0;
      previous = idleState;
      if (isRepeated && performance.now() - since >= patienceMs) disconnect(client);
      else timer = setTimeout(check, idleState === undefined ? watchIntervalMs : recheckIntervalMs);
    });
  }

  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

const unreachable = 'unreachable';

/**
 * Returns the idle state a transaction is stuck in, and since when; undefined while it may be
 * active.
 */
async function readIdleState(queryBackend: QueryBackend): Promise<string | undefined> {
  try {
    const [backend] = await queryBackend(idleStateSql);
    return backend === undefined ? 'ended' : (backend.idleState ?? undefined);
  } catch (error) {
    // The pooler has no free server connection: our own transactions may use them all.
    if (error instanceof Error && error.message === 'Query read timeout') return undefined;
    // A server that responds with an error, such as too many connections, may still run our
    // transaction.
    return isConnectionLost(error) ? unreachable : undefined;
  }
}

/** NULL: active, or hidden from this role, which never counts as ended. */
export const idleStateSql = `
  select
    case
      when ${isHidden} then null
      when ${isOurTransaction} is not true then 'ended'
      when state like 'idle%' then state_change::text
    end as "idleState"
  from pg_catalog.pg_stat_activity
  where pid = $1`;

function disconnect(client: pg.ClientBase): void {
  const error = Object.assign(new Error('the server does not respond'), { code: 'ETIMEDOUT' });
  // The driver has no other way to give up a connection during a query.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(error);
}
