import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Allows only the page's own files: nothing inline, and no frame around it. */
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

/** Adds the headers to every response. Refuses methods other than GET and HEAD, and bodies. */
export function secureResponses(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    // Closes the connection, which would otherwise still read the whole body.
    if (hasBody(request)) reply.header('connection', 'close');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      await reply
        .code(405)
        .header('allow', 'GET, HEAD')
        .send({ error: `${request.method} is not allowed: the status port is read-only` });
    } else if (hasBody(request)) {
      await reply.code(413).send({ error: 'a request with a body is not allowed' });
    }
  });
}

/** Responds to an invalid path. Hooks do not run for it, and the response does not repeat it. */
export function refusePath(
  error: Readonly<{ statusCode?: number }>,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  void reply
    .code(error.statusCode ?? 400)
    .headers(headers)
    .send({ error: 'the path of this request is invalid' });
}

function hasBody({ headers: { 'content-length': length, ...others } }: FastifyRequest): boolean {
  return (length !== undefined && length !== '0') || others['transfer-encoding'] !== undefined;
}
