import fastify, { type FastifyInstance } from 'fastify';
import type { Context } from '../context.js';
import { AppError } from '../errors.js';
import type { Metrics } from '../metrics/metrics.js';
import { refusePath, secureResponses } from './headers.js';
import { registerHealth } from './health.js';
import { refuseOtherHosts } from './host-check.js';
import { limitConnections, limits } from './limits.js';
import { registerMetrics } from './metrics.js';
import { registerOpenApi } from './openapi.js';
import { registerPage } from './page.js';
import type { StatusReader } from '../status/status-reader.js';

export interface StatusSources {
  readonly context: Pick<Context, 'database'>;
  readonly status: StatusReader;
  readonly metrics: Metrics;
}

/**
 * Starts the status port: `/live`, `/ready`, `/metrics`, the status page and its JSON. Returns its
 * URL.
 */
export async function startStatusServer(
  address: { host: string; port: number },
  sources: StatusSources,
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = fastify({
    ...limits,
    logger: false,
    forceCloseConnections: true,
    frameworkErrors: refusePath,
  });
  limitConnections(server.server);
  secureResponses(server);
  refuseOtherHosts(server, address.host);
  registerRoutes(server, sources);
  try {
    const url = await server.listen({ ...address });
    return { url, close: () => server.close() };
  } catch (error) {
    await server.close();
    throw new AppError(
      'STATUS_PORT_UNAVAILABLE',
      `expected to listen on ${address.host}:${address.port}, found: ${(error as Error).message}`,
      { hint: 'another daemon may run here: set STATUS_PORT (0 = any free port)', cause: error },
    );
  }
}

/** Registers every path of the status port. `openApiDocument` describes the same paths. */
export function registerRoutes(
  server: FastifyInstance,
  { context, status, metrics }: StatusSources,
): void {
  registerHealth(server, status);
  registerMetrics(server, metrics);
  registerOpenApi(server);
  registerPage(server, context, status);
}
