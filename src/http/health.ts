import type { FastifyInstance } from 'fastify';
import type { StatusReader } from '../status/status-reader.js';

/**
 * Registers `/live` and `/ready`. `/ready` responds with 503 and a reason if it is not ready. It
 * reads the database too, because the last runs may be an hour old.
 */
export function registerHealth(server: FastifyInstance, status: StatusReader): void {
  server.get('/live', () => ({ status: 'live' }));
  server.get('/ready', async (_request, reply) => {
    const { notReady: reason } = (await status.read()).verdict;
    if (reason !== null) await reply.code(503).send({ status: 'not ready', reason });
    else await reply.send({ status: 'ready' });
  });
}
