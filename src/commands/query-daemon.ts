import { AppError } from '../errors.js';

const timeoutMs = 3_000;

/**
 * Requests a path from the daemon's status port. Another program may listen there, so the caller
 * must check the body.
 * @throws AppError UNHEALTHY when no response arrives in time
 */
export async function queryDaemon(
  address: { host: string; port: number },
  path: string,
): Promise<{ status: number; body: Readonly<Record<string, unknown>> }> {
  const url = `http://${hostInUrl(address.host)}:${address.port}${path}`;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { signal, redirect: 'error' });
    const body: unknown = await response.json();
    if (typeof body !== 'object' || body === null) throw new Error('expected an object');
    return { status: response.status, body: { ...body } };
  } catch (error) {
    throw new AppError('UNHEALTHY', `expected a running daemon at ${url}, found no response`, {
      hint: 'start it with `registry-stats start`, or check STATUS_HOST and STATUS_PORT',
      cause: error,
    });
  }
}

/** Replaces a wildcard address by loopback, and puts brackets around IPv6. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
