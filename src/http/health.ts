import type { FastifyInstance } from 'fastify';
import type { StatusReader } from '../status/status-reader.js';

/**
 * `/live`: the process answers. `/ready`: 503 and the reason while it is not. What the runs found may be
 * an hour old, so the database is read too: one that hangs is not ready.
 */
export function registerHealth(server: FastifyInstance, status: StatusReader): void {
  server.get('/live', () => ({ status: 'live' }));
  server.get('/ready', async (_request, reply) => {
    const { notReady: reason } = (await status.read()).verdict;
    if (reason !== null) await reply.code(503).send({ status: 'not ready', reason });
    else await reply.send({ status: 'ready' });
  });
}
