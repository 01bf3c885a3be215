import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificates.js';

/** A man in the middle who wants the password. Closed with the test. */
interface Impostor {
  readonly port: number;
  /** Waits until the program disconnects; returns what it sent, except its request for TLS. */
  heard(): Promise<string>;
}

/** AuthenticationCleartextPassword. */
export const passwordRequest = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/**
 * Responds to the request for TLS with `response`, and then requests the password. With a
 * certificate it speaks TLS.
 */
export async function startImpostor(
  response: string | Buffer,
  certificate?: Certificate,
): Promise<Impostor> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const listen = (stream: Duplex): void => {
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      heard.push(chunk);
      if (heard.length === 1) stream.write(passwordRequest);
      else stream.end();
    });
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.write(response);
      if (certificate === undefined) listen(socket);
      else listen(new TLSSocket(socket, { isServer: true, ...certificate }));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return {
    port: (server.address() as AddressInfo).port,
    heard: async () => {
      for (const socket of sockets) if (!socket.closed) await once(socket, 'close');
      return Buffer.concat(heard).toString('latin1');
    },
  };
}
