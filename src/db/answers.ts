import type { Socket } from 'node:net';
import type pg from 'pg';
import { atPlace } from './begin.js';
import { isConnectionLost } from './sqlstate.js';

/** How often the server is asked about a transaction that goes on. */
const watchIntervalMs = 10_000;

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

/**
 * Ends the connection of a transaction whose answer was lost: no timeout of the server's or of TCP
 * tells that the network swallowed it. `ask` puts a question about its backend to the server on
 * another connection. Gives the function that ends the watch.
 */
export function watchBackend(
  client: pg.ClientBase,
  ask: (question: string) => Promise<{ isAtWork?: boolean }[]>,
): () => void {
  let isOver = false;
  let timer = setTimeout(look, watchIntervalMs);

  function look(): void {
    void isLost(ask).then((lost) => {
      if (isOver) return;
      if (lost) hangUp(client);
      else timer = setTimeout(look, watchIntervalMs);
    });
  }

  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

async function isLost(
  ask: (question: string) => Promise<{ isAtWork?: boolean }[]>,
): Promise<boolean> {
  try {
    const [backend] = await ask(backendState);
    return backend?.isAtWork !== true;
  } catch (error) {
    // A server that answers by an error, such as too many connections, may be at work on ours.
    return isConnectionLost(error);
  }
}

/** Idle for longer than any way of an answer: it has been sent. NULL where it may not be seen. */
const backendState = `
  select coalesce(
    state not like 'idle%'
      or state_change > pg_catalog.clock_timestamp() - interval '5 seconds',
    true
  ) as "isAtWork"
  ${atPlace}`;

function hangUp(client: pg.ClientBase): void {
  const error = Object.assign(new Error('the server does not answer'), { code: 'ETIMEDOUT' });
  // The driver has no other way to give up a connection with a question under way.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(error);
}
