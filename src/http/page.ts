import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Context } from '../context.js';
import { registerApi } from './api.js';
import type { StatusReader } from '../status/status-reader.js';

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Registers the status page at `/` and its files below `/assets/`. */
export function registerPage(
  server: FastifyInstance,
  context: Pick<Context, 'database'>,
  status: StatusReader,
): void {
  registerApi(server, context, status);
  server.get('/', (_request, reply) => sendFile(reply, 'index.html'));
  server.get<{ Params: { name: string } }>('/assets/:name', (request, reply) =>
    sendFile(reply, request.params.name),
  );
}

async function sendFile(reply: FastifyReply, name: string): Promise<FastifyReply> {
  const content = await readPageFile(name);
  if (content === undefined) return reply.code(404).send({ error: `no file ${name}` });
  const extension = name.slice(name.lastIndexOf('.') + 1);
  return reply.type(types[extension] ?? 'application/octet-stream').send(content);
}

/** Reads a file of the page. Only flat names are allowed, so a path cannot leave the folder. */
async function readPageFile(name: string): Promise<Buffer | undefined> {
  if (!/^[a-z-]+\.(?:html|css|js|svg)$/.test(name)) return undefined;
  try {
    return await readFile(new URL(`./page/${name}`, import.meta.url));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
