import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Limits of one connection: above what a browser, Prometheus or `health` needs, and low enough that
 * slow or many requests do no harm.
 */
export const limits = {
  http: {
    // Headers come in one packet.
    headersTimeout: 3_000,
    // Node's default is 30 s.
    connectionsCheckingInterval: 1_000,
    // Node's default. Cookies are sent to all ports of a host, so a developer may have many.
    maxHeaderSize: 16_384,
  },
  /** The limit for the whole request. */
  requestTimeout: 5_000,
  /** The limit without traffic; more than the 10 s for the figures. */
  connectionTimeout: 15_000,
  /** The limit between requests; more than the 60 s of load balancers and Prometheus. */
  keepAliveTimeout: 65_000,
  /** The connection closes after these, so none lives forever. */
  maxRequestsPerSocket: 1_000,
  /** Requests have no body; one with a body is refused before it is read. */
  bodyLimit: 1_024,
  /** Names of the page's files are shorter. */
  routerOptions: { maxParamLength: 100 },
};

/** At about 20 kB per connection this is little memory. */
export const maxConnections = 256;

/**
 * Closes the oldest connection when there are too many. So a client that holds many connections
 * locks out no other client, such as a health check.
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
