import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { eventually } from './slow-job.js';

/** A status, a redirect to an address, or no response at all. */
type Reply = number | { readonly location: string } | 'silence';

interface Delivery {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly contentType: string | undefined;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Receiver {
  /** Ends with a path that counts as secret. */
  readonly url: string;
  readonly port: number;
  readonly deliveries: readonly Delivery[];
  /** Waits for so many deliveries and returns subject and state of each. */
  changes(count: number): Promise<(readonly [unknown, unknown])[]>;
}

/** Starts a receiver of NOTIFY_URL on a free port. `reply` is called for each request, from 1. */
export async function startReceiver(
  reply: (request: number) => Reply = () => 200,
): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    void readDelivery(request).then((delivery) => {
      deliveries.push(delivery);
      const chosen = reply(deliveries.length);
      if (chosen === 'silence') return;
      if (typeof chosen === 'number') response.writeHead(chosen).end('a body that is ignored');
      else response.writeHead(302, { location: chosen.location }).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  const { port } = server.address() as AddressInfo;
  const changes = async (count: number) => {
    await eventually(`${count} deliveries`, () => deliveries.length >= count);
    return deliveries.map(({ body }) => [body['subject'], body['state']] as const);
  };
  return { url: `http://127.0.0.1:${port}/${secretPath}`, port, deliveries, changes };
}

export const secretPath = 'T0-secret-path';

async function readDelivery(request: IncomingMessage): Promise<Delivery> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return {
    method: request.method,
    path: request.url,
    contentType: request.headers['content-type'],
    text,
    body: JSON.parse(text) as Delivery['body'],
  };
}
