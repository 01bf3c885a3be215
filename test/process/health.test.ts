import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { programName, runCommand, startDaemon } from '../support/program.js';
import { databaseWithRows, noSchedule } from '../support/runs.js';
import { startSsmStandIn } from '../support/ssm-stand-in.js';

test('health checks the daemon, and health --ready succeeds after the first run', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  const { statusUrl = '' } = await daemon.untilLine('started');
  await daemon.untilLine('deposit history');
  const env = { STATUS_PORT: new URL(statusUrl).port };

  expect(await runCommand(['health'], { env })).toMatchObject({ code: 0, stdout: 'live\n' });
  const ready = await runCommand(['health', '--ready'], { env });
  expect(ready).toMatchObject({ code: 0, stdout: 'ready\n' });
});

test('health in a live environment does not read Parameter Store', async () => {
  const store = await startSsmStandIn({ fault: () => 'silence' });
  onTestFinished(store.close);
  const { code, stderr } = await runCommand(['health'], {
    env: { APT_ENV: 'production', AWS_ENDPOINT_URL_SSM: store.url, STATUS_HOST: '127.0.0.9' },
  });
  expect(store.requests).toEqual([]);
  expect(code).toBe(9);
  expect(stderr).toBe(
    'registry-stats: UNHEALTHY: expected a running daemon at http://127.0.0.9:9310/live, found nobody\n' +
      `  hint: start it with \`${programName} start\`, or check STATUS_HOST and STATUS_PORT\n`,
  );
});

test('health reports another program on the port, and a program that sends nothing', async () => {
  const html = createServer((socket) => socket.end('HTTP/1.1 404 Not Found\r\n\r\n<html>'));
  const silent = createServer(() => undefined);
  for (const [server, found] of [
    [
      html,
      'another program\n  hint: set STATUS_PORT to the port of the daemon, which `start` prints',
    ],
    [silent, 'no response within 3 s\n  hint: start it with '],
  ] as const) {
    const STATUS_PORT = await listen(server);
    for (const args of [['health'], ['health', '--ready']]) {
      const { code, stderr } = await runCommand(args, { env: { STATUS_PORT } });
      expect(code).toBe(9);
      expect(stderr).toContain(`:${STATUS_PORT}/`);
      expect(stderr).toContain(`found ${found}`);
    }
  }
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return String((server.address() as AddressInfo).port);
}

test('health and status --max-age end with 12 if figures are older', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  const { statusUrl = '' } = await daemon.untilLine('started');
  await daemon.untilLine('deposit history');
  const env = { ...target.env, STATUS_PORT: new URL(statusUrl).port };
  for (const command of ['health', 'status']) {
    const young = await runCommand([command, '--max-age', '2h'], { env });
    expect([command, young.code, young.stderr]).toEqual([command, 0, '']);
    const { code, stderr } = await runCommand([command, '--max-age', '1ms'], { env });
    expect(code).toBe(12);
    expect(stderr).toMatch(
      /^registry-stats: FIGURES_TOO_OLD: expected figures not older than 1ms, found Counts as of \S+Z, Current deposits as of \S+Z, Deposit history as of \S+Z\n {2}hint: /,
    );
    const wrong = await runCommand([command, '--max-age', 'soon'], { env });
    expect([wrong.code, wrong.stdout]).toEqual([2, '']);
    expect(wrong.stderr).toContain('Expected a time like 500ms, 20s, 5m or 2h');
  }
});

test('health refuses an invalid port', async () => {
  const { code, stderr } = await runCommand(['health'], { env: { STATUS_PORT: 'x' } });
  expect(code).toBe(3);
  expect(stderr).toBe(
    'registry-stats: SETTINGS_INVALID: 1 problem with the settings:\n' +
      '  STATUS_PORT (environment): expected a whole number from 0 to 65535, found "x"\n' +
      `  hint: \`${programName} config --help\` explains each setting\n`,
  );
});

test('a data directory that cannot be created is reported', async () => {
  const { code, stderr } = await runCommand(['start'], { env: { DATA_DIR: '/dev/null/data' } });
  expect(code).toBe(5);
  expect(stderr).toContain(
    'EMBEDDED_UNAVAILABLE: expected to be able to create the directory /dev/null/data, found: ENOTDIR',
  );
  expect(stderr).toContain(
    'hint: set DATA_DIR to one that may be written, or set DB_HOST to use a PostgreSQL server of your own\n',
  );
});
