import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { limits, maxConnections } from '../../src/http/limits.js';
import { startDaemon, type Program } from '../support/program.js';
import { openRawConnection, sendRaw, statusesOf } from '../support/raw-request.js';
import { databaseWithRows, everySecond, messages, noSchedule, untilRuns } from '../support/runs.js';
import { scrape } from '../support/scrape.js';
import { eventually, gateUpdateCounts } from '../support/slow-job.js';

/** `npm run test:hostile` sets more. */
const connectionCount = Number(process.env['CONNECTIONS'] ?? 1_000);
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 150);
const seed = process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) };
const longTimeoutMs = 120_000 + numRuns * 50 + connectionCount * 30;

interface Served {
  readonly daemon: Program;
  readonly url: string;
}

/** Starts a daemon whose jobs run every second. */
async function serve(): Promise<Served> {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...everySecond } });
  const { statusUrl: url = '' } = await daemon.untilLine('started;');
  await untilRuns(daemon, 'schedule');
  return { daemon, url };
}

interface Usage {
  readonly files: number;
  readonly megabytes: number;
}

async function usageOf({ url }: Served): Promise<Usage> {
  const { samples } = await scrape(url);
  return {
    files: samples.get('process_open_fds') ?? NaN,
    megabytes: (samples.get('process_resident_memory_bytes') ?? NaN) / 1024 / 1024,
  };
}

/** Expects a daemon that runs, responds, has released everything, and has logged nothing. */
async function expectUnharmed(served: Served, before: Usage): Promise<void> {
  const { daemon, url } = served;
  const runs = await untilRuns(daemon, 'schedule', 1).then((so) => so.length);
  await daemon.until('further runs', () => daemon.lines.filter(isScheduled).length > runs);
  expect((await fetch(`${url}/live`)).status).toBe(200);
  // The pool may open its last connections meanwhile.
  await eventually('its files to be closed', async () => {
    return (await usageOf(served)).files <= before.files + 4;
  });
  const { megabytes } = await usageOf(served);
  expect(megabytes).toBeLessThan(before.megabytes + 100);
  expect([...messages(daemon, 'warn'), ...messages(daemon, 'error')]).toEqual([]);
  expect(daemon.stderr).toBe('');
}

function isScheduled({ trigger, outcome }: { trigger?: string; outcome?: string }): boolean {
  return trigger === 'schedule' && outcome !== undefined;
}

/** Internal details that no response may contain: paths, stacks, our files. */
const inside = /node_modules|\/dist\/|\/src\/|\.js:\d|at Object\./;

const head = 'Host: 127.0.0.1\r\n';
const close = 'Connection: close\r\n';
const get = (target: string, headers = ''): string =>
  `GET ${target} HTTP/1.1\r\n${head}${close}${headers}\r\n`;
const send = (method: string, target = '/live', headers = '', body = ''): string =>
  `${method} ${target} HTTP/1.1\r\n${head}${headers}\r\n${body}`;

const requests: readonly [what: string, bytes: string, statuses: readonly number[]][] = [
  ['no request line', '\r\n\r\n\r\n', []],
  ['no words', '\0\x01\x02\xff\xfe\r\n\r\n', [400]],
  ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', [400]],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', [400]],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['HTTP/0.9', 'GET /live\r\n\r\n', [200]],
  ['HTTP/9.9', `GET /live HTTP/9.9\r\n${head}\r\n`, [400]],
  ['an unknown method', `STEAL /live HTTP/1.1\r\n${head}\r\n`, [400]],
  ['no Host', 'GET /live HTTP/1.1\r\n\r\n', [400]],
  ['a NUL in a header', get('/live', 'X-A: a\0b\r\n'), [400]],
  ['a header without a colon', get('/live', 'X-A\r\n'), [400]],
  ['a space before the colon', get('/live', 'X-A : b\r\n'), [400]],
  ['a bare line feed', `GET /live HTTP/1.1\nHost: 127.0.0.1\n\n`, [400]],
  ['headers of 64 kB', get('/live', `X-A: ${'a'.repeat(65_536)}\r\n`), [431]],
  ['10,000 headers', get('/live', 'X-A: a\r\n'.repeat(10_000)), [431]],
  ['a path of 64 kB', get(`/${'a'.repeat(65_536)}`), [431]],
  ['a path of 8 kB', get(`/${'a'.repeat(8_192)}`), [404]],
  ['the name of a file of 8 kB', get(`/assets/${'a'.repeat(8_192)}`), [414]],
  ['a broken escape', get('/assets/%'), [400]],
  ['an escape that is no UTF-8', get('/assets/%ff%fe'), [400]],
  ['a NUL in the path', get('/assets/%00.js'), [404]],
  ['10,000 parameters', get(`/api/runs?${'a&'.repeat(5_000)}`), [400]],
  ['a parameter of the prototype', get('/api/runs?__proto__=1&constructor=2'), [400]],
  ['the absolute form', get('http://rebound.example/live'), [200]],
  ['a path upwards', get('/../../../../etc/passwd'), [404]],
  ['a path upwards from the assets', get('/assets/..%2f..%2fserver.js'), [404]],
  ['a double escape', get('/assets/%252e%252e%252fserver.js'), [404]],
  ['back slashes', get('/assets/..\\..\\server.js'), [404]],
  ['an upgrade to a WebSocket', get('/live', 'Upgrade: websocket\r\n'), [200]],
  ['OPTIONS of the server', send('OPTIONS', '*'), [405]],
  ['TRACE', send('TRACE'), [405]],
  ['CONNECT', send('CONNECT', 'rebound.example:443'), []],
  ['HEAD', `HEAD /live HTTP/1.1\r\n${head}${close}\r\n`, [200]],
  ['a body of a GET', send('GET', '/live', 'Content-Length: 5\r\n', 'abcde'), [413]],
  ['a body of 100 GB', send('POST', '/live', `Content-Length: ${10 ** 11}\r\n`, 'abc'), [405]],
  ['a negative length', send('GET', '/live', 'Content-Length: -1\r\n'), [400]],
  ['two lengths', send('GET', '/live', 'Content-Length: 1\r\nContent-Length: 2\r\n', 'ab'), [400]],
  [
    'a length and chunks, to smuggle a request',
    send('GET', '/live', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    [400],
  ],
  [
    'chunks',
    send('GET', '/live', 'Transfer-Encoding: chunked\r\n', '3\r\nabc\r\n0\r\n\r\n'),
    [413],
  ],
  ['200 requests at once', get('/live').replace(close, '').repeat(200), Array(200).fill(200)],
];

test('an invalid or forbidden request gets a short refusal and does no harm', async () => {
  const served = await serve();
  const before = await usageOf(served);
  for (const [what, bytes, statuses] of requests) {
    const answer = await sendRaw(served.url, Buffer.from(bytes, 'latin1'));
    expect([what, statusesOf(answer)]).toEqual([what, statuses]);
    expect([what, inside.test(answer)]).toEqual([what, false]);
    for (const one of answer.split('HTTP/1.1 ').filter((text) => /^(40[45]|413|414)/.test(text))) {
      expect([what, one]).toEqual([what, expect.stringContaining("default-src 'none'") as string]);
    }
  }
  await expectUnharmed(served, before);
});

/** Almost requests: parts of real ones in any order, with random bytes. */
const almostRequest = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...['GET ', 'POST ', 'HEAD ', '/live', '/api/runs?limit=', '/assets/', '%', '../', '?'],
        ...[' HTTP/1.1', '\r\n', '\n', '\r\n\r\n', 'Host: 127.0.0.1', 'Connection: close'],
        ...['Content-Length: 5', 'Transfer-Encoding: chunked', '0\r\n\r\n', '5\r\nabcde\r\n', ': '],
        get('/live'),
        get('/api/status'),
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));

test(
  `${String(numRuns)} random almost-requests: a response or a close, and never an internal error`,
  { timeout: longTimeoutMs },
  async () => {
    const served = await serve();
    const before = await usageOf(served);
    await fc.assert(
      fc.asyncProperty(almostRequest, async (bytes) => {
        const answer = await sendRaw(served.url, bytes);
        expect(statusesOf(answer).filter((status) => status >= 500)).toEqual([]);
        expect(answer).not.toMatch(inside);
      }),
      { numRuns, ...seed },
    );
    await expectUnharmed(served, before);
  },
);

test(
  `${String(connectionCount)} idle connections lock out no client`,
  { timeout: longTimeoutMs },
  async () => {
    const served = await serve();
    const before = await usageOf(served);
    const open: { destroy(): void }[] = [];
    const leaveAll = (): void => {
      for (const socket of open) socket.destroy();
    };
    onTestFinished(leaveAll);
    let most = 0;
    while (open.length < connectionCount) {
      const step = await Promise.all(
        Array.from({ length: 100 }, () => openRawConnection(served.url)),
      );
      open.push(...step.map(({ socket }) => socket));
      expect(statusesOf(await sendRaw(served.url, get('/live')))).toEqual([200]);
      most = Math.max(most, (await usageOf(served)).files);
    }
    // Connections to the database may add files.
    expect(most).toBeLessThanOrEqual(before.files + maxConnections + 6);
    leaveAll();
    await expectUnharmed(served, before);
  },
);

test('a slow client is disconnected', async () => {
  const served = await serve();
  const before = await usageOf(served);
  const starts = [
    ...Array.from({ length: 40 }, () => 'GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: '),
    ...Array.from({ length: 40 }, () => 'GET /'),
    ...Array.from({ length: 40 }, () => ''),
    ...Array.from({ length: 40 }, () => send('POST', '/live', 'Content-Length: 9999\r\n')),
    ...Array.from({ length: 40 }, () => send('GET', '/live', 'Transfer-Encoding: chunked\r\n')),
  ];
  const slow = await Promise.all(
    starts.map(async (start) => {
      const connection = await openRawConnection(served.url);
      connection.socket.write(start);
      const drip = setInterval(() => connection.socket.write('a'), 250);
      connection.socket.on('close', () => {
        clearInterval(drip);
      });
      return connection;
    }),
  );
  const closed = Promise.all(slow.map((one) => one.closed()));
  while (slow.some(({ socket }) => !socket.closed)) {
    expect((await fetch(`${served.url}/live`)).status).toBe(200);
    await sleep(100);
  }
  // Bytes after an empty start are no request line.
  const expected = [408, 408, 400, 405, 413];
  expect((await closed).map(statusesOf)).toEqual(
    expected.flatMap((status) => Array.from({ length: 40 }, () => [status])),
  );
  await expectUnharmed(served, before);
});

test('a stop waits for the job, not for open connections', async () => {
  const target = await databaseWithRows();
  const gate = await gateUpdateCounts(target);
  const env = { ...target.env, ...noSchedule, LOCK_TIMEOUT: '60s', SHUTDOWN_TIMEOUT: '60s' };
  const daemon = await startDaemon({ env });
  const { statusUrl: url = '' } = await daemon.untilLine('started;');
  await gate.reached();
  const connections = await Promise.all(Array.from({ length: 100 }, () => openRawConnection(url)));
  for (const [index, { socket }] of connections.entries()) {
    if (index % 2 === 0) socket.write('GET /live HTTP/1.1\r\nHost: 127');
  }
  daemon.kill('SIGTERM');
  await daemon.untilLine('stopping');
  expect(statusesOf(await sendRaw(url, get('/live')))).toEqual([200]);
  const start = performance.now();
  await gate.open();
  expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  // By then they would be closed for inactivity.
  expect(performance.now() - start).toBeLessThan(limits.connectionTimeout / 2);
  await Promise.all(connections.map((one) => one.closed()));
});
