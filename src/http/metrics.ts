import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

/** Registers `/metrics` for Prometheus. It responds with 200 in any state of the database. */
export function registerMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.get('/metrics', async (_request, reply) => {
    await reply.type(metrics.contentType).send(await metrics.render());
  });
}
