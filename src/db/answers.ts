import type { Socket } from 'node:net';
import type pg from 'pg';
import { atPlace } from './begin.js';
import { isConnectionLost } from './sqlstate.js';

/** How often the server is asked about a transaction that goes on. */
const watchIntervalMs = 10_000;
/** After a look that found it without work: longer than an answer is under way. */
const secondLookMs = 2_000;

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
export type Ask = (question: string) => Promise<{ idleSince?: string | null }[]>;

/**
 * Ends the connection of a transaction whose answer was lost: no timeout of the server's or of TCP
 * tells that the network swallowed it. Gives the function that ends the watch.
 */
export function watchTransaction(client: pg.ClientBase, ask: Ask): () => void {
  let isOver = false;
  let previous: string | undefined;
  let timer = setTimeout(look, watchIntervalMs);

  function look(): void {
    void standstillOf(ask).then((standstill) => {
      if (isOver) return;
      const isLost =
        standstill === noServer || (standstill !== undefined && standstill === previous);
      previous = standstill;
      if (isLost) hangUp(client);
      else timer = setTimeout(look, standstill === undefined ? watchIntervalMs : secondLookMs);
    });
  }

  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

const noServer = 'no server';

/** What a transaction without work rests in since when; undefined as long as it is at work. */
async function standstillOf(ask: Ask): Promise<string | undefined> {
  try {
    const [transaction] = await ask(idleSince);
    return transaction === undefined ? 'ended' : (transaction.idleSince ?? undefined);
  } catch (error) {
    // A server that answers by an error, such as too many connections, may be at work on ours.
    return isConnectionLost(error) ? noServer : undefined;
  }
}

const idleSince = `
  select case when state like 'idle%' then state_change::text end as "idleSince" ${atPlace}`;

function hangUp(client: pg.ClientBase): void {
  const error = Object.assign(new Error('the server does not answer'), { code: 'ETIMEDOUT' });
  // The driver has no other way to give up a connection with a question under way.
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy(error);
}
