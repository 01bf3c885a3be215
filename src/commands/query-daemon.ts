import { errorCodeOf } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import type { Status } from '../status/model.js';
import type { Responder } from '../terminal/status-screen.js';

const timeoutMs = 3_000;

type NoDaemon = Exclude<Responder, 'daemon'>;

/** The daemon's response to a request, or who else responded. */
export type Answer<Body> =
  { readonly responder: 'daemon'; readonly body: Body } | { readonly responder: NoDaemon };

export interface StatusAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Requests a path from the daemon's status port. Another program may listen there, so `isOurs`
 * checks the format of the body.
 */
export async function queryDaemon<Body extends object>(
  address: StatusAddress,
  path: string,
  isOurs: (body: object) => body is Body,
): Promise<Answer<Body>> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(urlOf(address, path), { signal, redirect: 'error' });
    const body: unknown = await response.json();
    const isExpected = response.ok || response.status === 503;
    if (!isExpected || typeof body !== 'object' || body === null || !isOurs(body)) {
      return { responder: 'other program' };
    }
    return { responder: 'daemon', body };
  } catch (error) {
    return { responder: responderOf(error) };
  }
}

/** Returns whether a body is the response to `/api/status`. */
export function isStatus(body: object): body is Status {
  if (!('version' in body && 'jobs' in body && 'answeredAt' in body)) return false;
  return body.version === 1 && Array.isArray(body.jobs) && typeof body.answeredAt === 'string';
}

/** Returns the error of a command that needs the daemon. */
export function daemonMissing(address: StatusAddress, path: string, responder: NoDaemon): AppError {
  const found = { 'other program': 'another program', silent: noResponse, nobody: 'nobody' };
  return new AppError(
    'UNHEALTHY',
    `expected a running daemon at ${urlOf(address, path)}, found ${found[responder]}`,
    {
      hint:
        responder === 'other program'
          ? 'set STATUS_PORT to the port of the daemon, which `start` prints'
          : 'start it with `registry-stats start`, or check STATUS_HOST and STATUS_PORT',
    },
  );
}

const noResponse = `no response within ${timeoutMs / 1_000} s`;

/** Errors without a connection. After a connection, the other side is a program. */
const unreachable: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

function responderOf(error: unknown): NoDaemon {
  if (error instanceof Error && error.name === 'TimeoutError') return 'silent';
  const cause = error instanceof Error ? error.cause : undefined;
  // fetch refuses some ports, such as 0 and 1, without a connection.
  const isRefused = cause instanceof Error && cause.message === 'bad port';
  return isRefused || unreachable.has(errorCodeOf(cause) ?? '') ? 'nobody' : 'other program';
}

function urlOf({ host, port }: StatusAddress, path: string): string {
  return `http://${hostInUrl(host)}:${port}${path}`;
}

/** Replaces a wildcard address by loopback, and puts brackets around IPv6. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
