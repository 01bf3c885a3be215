import type { Socket } from 'node:net';
import type pg from 'pg';
import { isConnectionLost } from './sqlstate.js';

/** Whether a row of pg_stat_activity, of the backend $1, is of the transaction $2. */
export const isOfPlace = '(extract(epoch from xact_start) * 1000000)::bigint = $2';

/** Whether such a row tells nothing: the session is of another role, or track_activities is off. */
export const isHidden = `(state is null or state = 'disabled')`;

/** From and where of a query on the place [$1, $2]: no row once the transaction has ended. */
export const atPlace = `
  from pg_catalog.pg_stat_activity
  where pid = $1
    and ${isOfPlace}`;

/** How often the server is asked about a transaction that goes on. */
const watchIntervalMs = 10_000;
/** After a look that found it without work: longer than an answer is under way. */
const secondLookMs = 2_000;
/** For how long the server must be out of reach before its answer is taken for lost. */
const unreachableMs = 10_000;

/** The answer to a question that takes a server no time; without one, ends the connection. */
export async function answerWithin<Answer>(
  timeoutMs: number,
  client: pg.ClientBase,
  answer: Promise<Answer>,
): Promise<Answer> {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    // After a standstill of this process the answer may have come: it is read before an immediate.
    immediate = setImmediate(hangUp, client);
  }, timeoutMs);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    clearImmediate(immediate);
  }
}

/** Puts a question about a transaction to the server, on another connection. */
export type Ask = (question: string) => Promise<{ standstill?: string | null }[]>;

/**
 * Ends the connection of a transaction whose answer was lost: no timeout of the server's or of TCP
 * tells that the network swallowed it. One look proves nothing: an answer may be under way, a name
 * server may pause. Returns the function that ends the watch.
 */
export function watchTransaction(client: pg.ClientBase, ask: Ask): () => void {
  let isOver = false;
  let previous: string | undefined;
  let sinceWhen = 0;
  let timer = setTimeout(look, watchIntervalMs);

  function look(): void {
    void standstillOf(ask).then((standstill) => {
      if (isOver) return;
      if (standstill === undefined || standstill !== previous) sinceWhen = performance.now();
      const isRepeated = standstill !== undefined && standstill === previous;
      const patienceMs = standstill === unreachable ? unreachableMs : 0;
      previous = standstill;
      if (isRepeated && performance.now() - sinceWhen >= patienceMs) hangUp(client);
      else timer = setTimeout(look, standstill === undefined ? watchIntervalMs : secondLookMs);
    });
  }

  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

const unreachable = 'unreachable';

/** What a transaction without work rests in since when; undefined as long as it may be at work. */
async function standstillOf(ask: Ask): Promise<string | undefined> {
  try {
    const [backend] = await ask(standstillQuestion);
    return backend === undefined ? 'ended' : (backend.standstill ?? undefined);
  } catch (error) {
    // A pooler let us in and has no place for the question: our own transactions may take them all.
    if (error instanceof Error && error.message === 'Query read timeout') return undefined;
    // A server that answers by an error, such as too many connections, may be at work on ours.
    return isConnectionLost(error) ? unreachable : undefined;
  }
}

/** NULL: at work, or not shown to this role; an end is never taken from what is not shown. */
export const standstillQuestion = `
  select
    case
      when ${isHidden} then null
      when ${isOfPlace} is not true then 'ended'
      when state like 'idle%' then state_change::text
    end as standstill
  from pg_catalog.pg_stat_activity
  where pid = $1`;

function hangUp(client: pg.ClientBase): void {
  const error = Object.assign(new Error('the server does not answer'), { code: 'ETIMEDOUT' });
  // The driver has no other way to give up a connection with a question under way.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(error);
}
