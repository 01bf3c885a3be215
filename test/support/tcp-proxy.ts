import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';

/** The direction of a network failure. */
export type Direction = 'both ways' | 'to the server' | 'to the client';

/** A proxy that can be interrupted. Closed with the test. */
export interface TcpProxy {
  readonly port: number;
  /** Closes every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Forwards no more data but keeps connections open, like a lost network. */
  freeze(direction?: Direction): void;
  /** Accepts new connections. Frozen ones stay half open. */
  restore(): Promise<void>;
  /** The number of connections so far. */
  readonly connections: number;
}

/** The target of a proxy; it may change at any time. */
interface Upstream {
  host: string;
  port: number;
}

/** Listens on a free port of loopback. Forwards to the test server by default. */
export async function startTcpProxy(to: Upstream = inject('server')): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let frozen: Direction | undefined;
  let connections = 0;

  const freezePair = (client: Socket, upstream: Socket, direction: Direction): void => {
    if (direction !== 'to the client') client.unpipe(upstream).pause();
    if (direction !== 'to the server') upstream.unpipe(client).pause();
  };

  const forward = (client: Socket): void => {
    connections++;
    sockets.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => sockets.delete(client));
    if (frozen === 'both ways') {
      client.pause();
      return;
    }
    const upstream = connect({ host: to.host, port: to.port });
    const pair = { client, upstream };
    pairs.add(pair);
    sockets.add(upstream);
    upstream.on('error', () => upstream.destroy());
    upstream.on('close', () => {
      sockets.delete(upstream);
      pairs.delete(pair);
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
    if (frozen !== undefined) freezePair(client, upstream, frozen);
  };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer(forward).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server: Server | undefined = await listen(0);
  const { port } = server.address() as AddressInfo;

  const cut = async (): Promise<void> => {
    const closed = server === undefined ? Promise.resolve() : once(server, 'close');
    server?.close();
    server = undefined;
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(cut);
  return {
    port,
    cut,
    get connections() {
      return connections;
    },
    freeze: (direction = 'both ways') => {
      frozen = direction;
      for (const { client, upstream } of pairs) freezePair(client, upstream, direction);
    },
    restore: async () => {
      frozen = undefined;
      server ??= await listen(port);
    },
  };
}
