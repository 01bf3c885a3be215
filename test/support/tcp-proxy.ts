import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { inject, onTestFinished } from 'vitest';

/** A way to a server that can be interrupted. Closed with the test. */
export interface TcpProxy {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Passes nothing on any more, in either direction, and breaks nothing: a lost network. */
  freeze(): void;
  restore(): Promise<void>;
}

/** Where a proxy forwards to; may be changed while it runs. */
export interface Upstream {
  host: string;
  port: number;
}

/** Listens on a free port of loopback and forwards, by default to the server of the tests. */
export async function startTcpProxy(to: Upstream = inject('server')): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isFrozen = false;

  const forward = (client: Socket): void => {
    sockets.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => sockets.delete(client));
    if (isFrozen) {
      client.pause();
      return;
    }
    const upstream = connect({ host: to.host, port: to.port });
    sockets.add(upstream);
    upstream.on('error', () => upstream.destroy());
    upstream.on('close', () => {
      sockets.delete(upstream);
      client.destroy();
    });
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
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
    freeze: () => {
      isFrozen = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    restore: async () => {
      isFrozen = false;
      server ??= await listen(port);
    },
  };
}
