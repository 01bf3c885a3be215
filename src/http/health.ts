import type { FastifyInstance } from 'fastify';
import type { Context } from '../context.js';
import { createBoundedReader } from '../status/bounded-reader.js';
import { describeFailure } from '../db/sqlstate.js';
import type { StatusBoard } from '../daemon/status-board.js';

/**
 * `/live`: the process answers. `/ready`: 503 and the reason while it is not. What the runs found out
 * may be an hour old, so the database is asked too: one that hangs is not ready.
 */
export function registerHealth(
  server: FastifyInstance,
  context: Pick<Context, 'database'>,
  board: StatusBoard,
): void {
  const reader = createBoundedReader(context, {
    // `health --ready` waits 3 s.
    timeoutMs: 2_000,
    isDatabaseDown: () => board.current().isDatabaseDown,
  });
  const reasonNotReady = async (): Promise<string | undefined> =>
    board.reasonNotReady() ??
    (await reader
      .read('ready', 2_000, (open) => open.read('select'))
      .then(() => undefined, describeFailure));

  server.get('/live', () => ({ status: 'live' }));
  server.get('/ready', async (_request, reply) => {
    const reason = await reasonNotReady();
    if (reason !== undefined) await reply.code(503).send({ status: 'not ready', reason });
    else await reply.send({ status: 'ready' });
  });
}
