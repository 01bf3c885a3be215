import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificates.js';

/** Somebody between the program and its database who wants the password. Gone with the test. */
export interface Impostor {
  readonly port: number;
  /**
   * Waits for the program to hang up; returns all that could be read of what it sent, its request for
   * TLS left out.
   */
  heard(): Promise<string>;
}

/** AuthenticationCleartextPassword. */
export const passwordRequest = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);

/**
 * Answers the request for TLS with `answer`, reads what follows, by TLS with a certificate, and asks
 * for the password as soon as anything does.
 */
export async function startImpostor(
  answer: string | Buffer,
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
      socket.write(answer);
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
