import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';

/** What a lost network does not pass on. */
export type Direction = 'both ways' | 'to the server' | 'to the client';

/** A way to a server that can be interrupted. Closed with the test. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Passes nothing on any more, in one direction or both, and breaks nothing: a lost network. */
  freeze(direction?: Direction): void;
  /** Lets new connections pass. What was frozen stays so: half open, with nobody at the other end. */
  restore(): Promise<void>;
  /** How many connections were made so far. */
  readonly connections: number;
}

/** Where a proxy forwards to; may be changed while it runs. */
export interface Upstream {
  host: string;
  port: number;
}

/** Listens on a free port of loopback and forwards, by default to the server of the tests. */
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
