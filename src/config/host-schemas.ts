import { isIP } from 'node:net';

import { z } from 'zod';

const expectedHost = 'a host name or an IP address alone';

/** Where PostgreSQL is: a host name, an IP address, or the directory of its socket. */
export function databaseHost() {
  return z.string().superRefine((text, context) => {
    if (isHost(text) || isSocketDirectory(text)) return;
    context.addIssue({ code: 'custom', message: `${expectedHost}${explain(text)}` });
  });
}

export function listenHost() {
  return z.string().refine(isHost, `${expectedHost}, like 127.0.0.1, 0.0.0.0 or ::`);
}

function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const labels = text.replace(/\.$/, '').split('.');
  // Names of compose services may hold an underscore. A last label of digits is a wrong IP address.
  const areLabelsValid = labels.every((l) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(l));
  return text.length <= 253 && areLabelsValid && !/^\d+$/.test(labels.at(-1) ?? '');
}

function isSocketDirectory(text: string): boolean {
  return /^(\/[\w.@+-]+)+\/?$/.test(text) && text.length <= 100;
}

function explain(text: string): string {
  if (text.includes('://')) return ', not a URL (port, name, user and password have settings)';
  if (text.includes('@')) return ', without user or password (they are DB_USER and DB_PASSWORD)';
  if (/^\[.*\]/.test(text)) return ', an IPv6 address without brackets';
  const [host = '', port = ''] = text.split(':');
  if (text.split(':').length === 2 && /^\d+$/.test(port) && isHost(host)) {
    return ', without a port (that is DB_PORT)';
  }
  return '';
}
