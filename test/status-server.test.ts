import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { isOwnHost } from '../src/http/host-check.js';
import { startStatusServer, type StatusSources } from '../src/http/server.js';
import { sendRaw, statusesOf } from './support/raw-request.js';

/** Starts a status port that has only `/live`. */
async function serve(host: string): Promise<string> {
  const nothing = { context: {}, status: {}, metrics: {} } as unknown as StatusSources;
  const { url, close } = await startStatusServer({ host, port: 0 }, nothing);
  onTestFinished(close);
  return url;
}

async function statusFor(url: string, host: string, path = '/live'): Promise<number[]> {
  return statusesOf(
    await sendRaw(url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
  );
}

const others = [
  'rebound.example',
  'rebound.example:9310',
  'localhost.rebound.example',
  '127.0.0.1.rebound.example',
  'notlocalhost',
  'registry-stats',
  '127.0.0.1@rebound.example',
  'rebound.example#127.0.0.1',
  'localhost:80:rebound.example',
  '[::1].rebound.example',
  '[rebound.example]',
];

test('on loopback a name of a web site is refused', async () => {
  const url = await serve('127.0.0.1');
  const { port } = new URL(url);
  for (const host of others) {
    expect([host, await statusFor(url, host)]).toEqual([host, [421]]);
  }
  for (const path of ['/', '/api/status', '/metrics', '/assets/main.js', '/missing']) {
    expect([path, await statusFor(url, 'rebound.example', path)]).toEqual([path, [421]]);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'a.localhost']) {
    expect([host, await statusFor(url, host)]).toEqual([host, [200]]);
  }
});

test('the refusal explains why, names the fix for a proxy, and repeats no input', async () => {
  const url = await serve('127.0.0.1');
  const answer = await sendRaw(url, 'GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n');
  expect(answer).toContain(
    '{"error":"this Host is not allowed on loopback: use an address or localhost",' +
      '"hint":"a proxy that passes on the Host of its own client must send its target instead, ' +
      'or STATUS_HOST be an address beyond loopback"}',
  );
  expect(answer).not.toContain('rebound');
});

test('HTTP/1.0 without a Host, used by simple checkers, is allowed', async () => {
  const url = await serve('127.0.0.1');
  expect(statusesOf(await sendRaw(url, 'GET /live HTTP/1.0\r\n\r\n'))).toEqual([200]);
});

test('beyond loopback every service name is allowed', async () => {
  const { port } = new URL(await serve('0.0.0.0'));
  const url = `http://127.0.0.1:${port}`;
  for (const name of ['registry-stats:9310', 'stats.prod.internal', 'lb.example.org']) {
    expect([name, await statusFor(url, name)]).toEqual([name, [200]]);
  }
});

test('the name in STATUS_HOST is allowed, in any case and with a trailing dot', () => {
  expect(isOwnHost('Stats.Local:9310', 'stats.local')).toBe(true);
  expect(isOwnHost('stats.local.', 'stats.local')).toBe(true);
  expect(isOwnHost('other.local', 'stats.local')).toBe(false);
});

test('of all domains, only those below localhost are ours, and every address is', () => {
  const port = fc.constantFrom('', ':1', ':9310');
  fc.assert(
    fc.property(fc.domain(), port, (domain, suffix) => {
      expect(isOwnHost(`${domain}${suffix}`, '127.0.0.1')).toBe(false);
      expect(isOwnHost(`${domain}.localhost${suffix}`, '127.0.0.1')).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.ipV4(), fc.ipV6(), port, (v4, v6, suffix) => {
      expect(isOwnHost(`${v4}${suffix}`, 'localhost')).toBe(true);
      expect(isOwnHost(`[${v6}]${suffix}`, 'localhost')).toBe(true);
    }),
  );
});
