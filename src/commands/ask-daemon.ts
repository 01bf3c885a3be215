import { AppError } from '../errors.js';

const timeoutMs = 3_000;

/**
 * Asks the daemon on its status port.
 * @throws AppError UNHEALTHY when none answers in time
 */
export async function askDaemon(
  address: { host: string; port: number },
  path: string,
): Promise<{ status: number; body: unknown }> {
  const url = `http://${hostInUrl(address.host)}:${address.port}${path}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.status, body: await response.json() };
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
