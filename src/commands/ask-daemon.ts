import { AppError } from '../errors.js';

const timeoutMs = 3_000;

/**
 * Asks the daemon on its status port. Something else may listen there: the body is an object, and no
 * more is known of it.
 * @throws AppError UNHEALTHY when none answers in time
 */
export async function askDaemon(
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
    throw new AppError('UNHEALTHY', `expected a running daemon at ${url}, found no answer`, {
      hint: 'start it with `registry-stats start`, or check STATUS_HOST and STATUS_PORT',
      cause: error,
    });
  }
}

/** A daemon that listens on every address is asked on loopback. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
