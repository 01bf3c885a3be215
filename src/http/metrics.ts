import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics/metrics.js';

/** `/metrics`, for Prometheus: 200 whatever the state of the database is. */
export function registerMetrics(server: FastifyInstance, metrics: Metrics): void {
  server.get('/metrics', async (_request, reply) => {
    await reply.type(metrics.contentType).send(await metrics.render());
  });
}
