import { expect, onTestFinished, test } from 'vitest';
import { programName, runCommand, startDaemon } from '../support/program.js';
import { databaseWithRows, noSchedule } from '../support/runs.js';
import { startSsmStandIn } from '../support/ssm-stand-in.js';

test('health checks the daemon, and health --ready succeeds after the first run', async () => {
  const target = await databaseWithRows();
  const daemon = await startDaemon({ env: { ...target.env, ...noSchedule } });
  const { statusUrl = '' } = await daemon.untilLine('started');
  await daemon.untilLine('populate_all_historical_deposit_stats');
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
    'registry-stats: UNHEALTHY: expected a running daemon at http://127.0.0.9:9310/live, found no response\n' +
      `  hint: start it with \`${programName} start\`, or check STATUS_HOST and STATUS_PORT\n`,
  );
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
