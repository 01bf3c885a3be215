import { expect, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import { startTcpProxy, type Direction, type TcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';
import { haltAt, runSteps, type Halt } from './support/steps.js';

const down = 'the database does not respond; runs wait until it is back';
const statementAndCommit = runSteps.filter(({ name }) => /^in the fold|^in its commit/.test(name));
const directions: readonly Direction[] = ['both ways', 'to the server', 'to the client'];

function startThrough(
  proxy: TcpProxy,
  target: TestDatabase,
  settings: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port), DB_CONNECT_TIMEOUT: '2s' };
  return startDaemon({ env: { ...target.env, ...way, ...sceneSettings, ...settings } });
}

/** Expects the daemon to log the outage once. */
async function expectLoggedOnce(daemon: Program): Promise<void> {
  await daemon.untilLine(down);
  expect(messages(daemon, 'error').filter((message) => message.startsWith(down))).toHaveLength(1);
}

async function expectHealed(
  proxy: TcpProxy,
  target: TestDatabase,
  daemon: Program,
  halt?: Halt,
): Promise<void> {
  await expectLoggedOnce(daemon);
  await proxy.restore();
  await halt?.open();
  await expectRecovered(target, daemon);
}

for (const direction of directions) {
  test(`a network lost ${direction} while idle`, async () => {
    const target = await databaseWithWork();
    const proxy = await startTcpProxy();
    const daemon = await startThrough(proxy, target);
    await untilRuns(daemon, 'start');
    proxy.freeze(direction);
    await expectHealed(proxy, target, daemon);
  });

  test(`a network lost ${direction} before the first connection`, async () => {
    const target = await databaseWithWork();
    const proxy = await startTcpProxy();
    proxy.freeze(direction);
    const daemon = await startThrough(proxy, target);
    await expectHealed(proxy, target, daemon);
  });

  for (const step of direction === 'both ways' ? runSteps : statementAndCommit) {
    test(`a network lost ${direction} ${step.name}`, async () => {
      const target = await databaseWithWork();
      const proxy = await startTcpProxy();
      const halt = await haltAt(target, step);
      const daemon = await startThrough(proxy, target, { RETRY_ATTEMPTS: '1' });
      await halt.reached();
      proxy.freeze(direction);
      await expectHealed(proxy, target, daemon, halt);
    });
  }

  test(`connections that died ${direction} while idle are replaced without a log line`, async () => {
    const target = await databaseWithWork();
    const proxy = await startTcpProxy();
    const daemon = await startThrough(proxy, target);
    await untilRuns(daemon, 'start');
    proxy.freeze(direction);
    await proxy.restore();
    await expectRecovered(target, daemon);
    expect(messages(daemon, 'error')).toEqual([]);
  });
}

test('the next attempt uses a restarted proxy', async () => {
  const target = await databaseWithWork();
  const proxy = await startTcpProxy();
  const daemon = await startThrough(proxy, target);
  await untilRuns(daemon, 'start');
  await proxy.cut();
  await proxy.restore();
  await expectRecovered(target, daemon);
  expect(messages(daemon, 'error')).toEqual([]);
});
