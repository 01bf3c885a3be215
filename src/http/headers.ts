import type { FastifyInstance } from 'fastify';

/** Nothing but the page's own files, nothing inline, and no frame around it. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** Every answer of the status port carries the headers; whatever is not GET or HEAD is refused. */
export function secureAnswers(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      await reply
        .code(405)
        .header('allow', 'GET, HEAD')
        .send({ error: `${request.method} is not allowed: the status port is read-only` });
    }
  });
}
