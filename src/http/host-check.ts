import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Keeps web sites from reading the status port of whoever visits them. A site can let its own name
 * point to 127.0.0.1 (DNS rebinding); then the browser takes our answers for the site's. It names that
 * site as Host, so on loopback only names that are ours are answered. Beyond loopback any name may be
 * ours, of a service or a load balancer, and is answered.
 */
export function refuseOtherHosts(server: FastifyInstance, statusHost: string): void {
  server.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers;
    if (isOwnHost(host, statusHost) || !isOnLoopback(server)) return;
    await reply.code(421).send({
      error: 'the Host of this request is not answered on loopback: an address or localhost is',
      hint:
        'a proxy that passes on the Host of its own client must send its target instead, ' +
        'or STATUS_HOST be an address beyond loopback',
    });
  });
}

/** An address cannot be rebound; without a Host it is no browser. */
export function isOwnHost(host: string | undefined, statusHost: string): boolean {
  if (host === undefined || host === '') return true;
  const [, bracketed, plain = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host) ?? [];
  if (bracketed !== undefined) return isIP(bracketed) === 6;
  const name = withoutDot(plain.toLowerCase());
  if (isIP(name) === 4 || name === withoutDot(statusHost.toLowerCase())) return true;
  return name === 'localhost' || name.endsWith('.localhost');
}

function isOnLoopback(server: FastifyInstance): boolean {
  return server
    .addresses()
    .every((bound) => typeof bound !== 'string' && /^(::1$|(::ffff:)?127\.)/.test(bound.address));
}

function withoutDot(name: string): string {
  return name.replace(/\.$/, '');
}
