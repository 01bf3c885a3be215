import { connect, type Socket } from 'node:net';

/** Far above the limits of the status port; below the 30 s in which Node by itself looks for them. */
const patienceMs = 20_000;

export interface RawConnection {
  readonly socket: Socket;
  /** All that came, as soon as the other side has closed. */
  readonly closed: () => Promise<string>;
}

/** A connection on which anything may be sent. The caller closes it, or the other side does. */
export async function openRawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  // A reset is one way of being refused.
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.once('close', resolve));
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', resolve));
  return {
    socket,
    closed: async () => {
      const deadline = setTimeout(() => socket.destroy(), patienceMs);
      const startedAt = performance.now();
      await ended;
      clearTimeout(deadline);
      if (performance.now() - startedAt >= patienceMs) throw new Error(`still open after: ${text}`);
      return text;
    },
  };
}

/** Sends these bytes and no more; returns what came until the connection was closed. */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const { socket, closed } = await openRawConnection(url);
  socket.end(bytes);
  return closed();
}

/** The status codes of the answers, in their order. */
export function statusesOf(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));
}
