import { connect, type Socket } from 'node:net';

/** Far above the limits of the status port, and below Node's check interval of 30 s. */
const patienceMs = 20_000;

interface RawConnection {
  readonly socket: Socket;
  /** Resolves to everything received when the server has closed. */
  readonly closed: () => Promise<string>;
}

/** Opens a connection for arbitrary bytes. Either side closes it. */
export async function openRawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  // A reset is a form of refusal.
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

/** Sends only these bytes; returns what arrived until the connection was closed. */
export async function sendRaw(url: string, bytes: string | Uint8Array): Promise<string> {
  const { socket, closed } = await openRawConnection(url);
  socket.end(bytes);
  return closed();
}

/** Returns the status codes of the responses, in order. */
export function statusesOf(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, code]) => Number(code));
}
