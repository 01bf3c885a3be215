import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Protects the status port from web sites that a user visits. A site may point its own name at
 * 127.0.0.1 (DNS rebinding), and the browser would let it read our responses. The Host header has
 * the site's name, so on loopback only our names are allowed. On other addresses any name may be a
 * service or load balancer, and is allowed.
 */
export function refuseOtherHosts(server: FastifyInstance, statusHost: string): void {
  server.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers;
    if (isOwnHost(host, statusHost) || !isOnLoopback(server)) return;
    await reply.code(421).send({
      error: 'this Host is not allowed on loopback: use an address or localhost',
      hint:
        'a proxy that passes on the Host of its own client must send its target instead, ' +
        'or STATUS_HOST be an address beyond loopback',
    });
  });
}

/**
 * Returns whether the Host is ours. An address cannot be rebound, and browsers always send a Host.
 */
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
