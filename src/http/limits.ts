import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * What one connection may take. Each is far above what a browser, Prometheus or `health` needs, and
 * low enough that nobody gains by dripping, hoarding or flooding.
 */
export const limits = {
  http: {
    // Headers come in one packet.
    headersTimeout: 3_000,
    // By default Node looks for what is late every 30 s only.
    connectionsCheckingInterval: 1_000,
    // Node's default. Cookies are sent to every port of a host name: a developer may have many.
    maxHeaderSize: 16_384,
  },
  /** For the whole request. */
  requestTimeout: 5_000,
  /** Without a byte in either direction: more than the 10 s that the figures may take. */
  connectionTimeout: 15_000,
  /** Between two requests: more than the 60 s of a load balancer, or of Prometheus. */
  keepAliveTimeout: 65_000,
  /** Then it is closed in good order: no connection lives for ever. */
  maxRequestsPerSocket: 1_000,
  /** No request has a body; those that have one are refused before it is read. */
  bodyLimit: 1_024,
  /** The names of the page's files are shorter. */
  routerOptions: { maxParamLength: 100 },
};

/** At some 20 kB a connection, little memory; and far more than the pages that people open. */
export const maxConnections = 256;

/**
 * Where one more connection would be too many, the oldest gives way: so whoever holds as many as
 * they can keeps nobody out, least of all a health check.
 */
export function limitConnections(server: Server, most = maxConnections): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > most) oldest?.destroy();
  });
}
