import { expect, test, type TestContext } from 'vitest';
import { startDaemon } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { packetFilter, type PacketFilter } from './support/packet-filter.js';
import { untilBackendEnds } from './support/records.js';
import { expectRecovered } from './support/recovery.js';
import { sceneSettings } from './support/scene.js';
import { haltAt, runSteps } from './support/steps.js';

const down = 'the database does not respond; runs wait until it is back';

interface LossyWay {
  readonly target: TestDatabase;
  readonly filter: PacketFilter;
  readonly env: Readonly<Record<string, string>>;
}

/** The daemon reaches the server by its own address; the test uses another. */
async function lossyWay({ skip }: TestContext): Promise<LossyWay> {
  const host = '127.0.0.2';
  const { target } = await startOwnServer({ listen_addresses: '*' });
  const filter = packetFilter({ skip }, host, Number(target.env['DB_PORT']));
  const env = { ...target.env, ...sceneSettings, DB_HOST: host, DB_CONNECT_TIMEOUT: '2s' };
  return { target, filter, env };
}

for (const step of runSteps.filter(({ name }) => /^in the fold|^in its commit/.test(name))) {
  test(`packets lost ${step.name} are detected and logged once, and the daemon recovers`, async (context) => {
    const { target, filter, env } = await lossyWay(context);
    const halt = await haltAt(target, step);
    const daemon = await startDaemon({ env: { ...env, RETRY_ATTEMPTS: '1' } });
    await halt.reached();
    filter.drop();
    await daemon.untilLine(down);
    await halt.open();
    filter.pass();
    await expectRecovered(target, daemon);
    expect(messages(daemon, 'error')).toHaveLength(1);
  });

  test(`a daemon that vanishes ${step.name} leaves no lock on the server`, async (context) => {
    const { target, filter, env } = await lossyWay(context);
    const halt = await haltAt(target, step);
    const daemon = await startDaemon({ env });
    const pid = await halt.reached();
    filter.drop();
    daemon.kill('SIGKILL');
    // Only the server notices: its statement is waiting, without a connection error.
    await untilBackendEnds(target, pid);
    await halt.open();
    filter.pass();
    await expectRecovered(target, await startDaemon({ env }));
  });
}

test('a daemon that vanishes while its statement ends leaves no open transaction', async (context) => {
  const { target, filter, env } = await lossyWay(context);
  const [step] = runSteps.filter(({ name }) => name === 'in the fold');
  if (step === undefined) throw new Error('no such step');
  const halt = await haltAt(target, step);
  const daemon = await startDaemon({ env });
  const pid = await halt.reached();
  filter.drop();
  daemon.kill('SIGKILL');
  await halt.open();
  await untilBackendEnds(target, pid);
  filter.pass();
  await expectRecovered(target, await startDaemon({ env }));
});

test('packets lost while idle are detected and logged once, and the daemon recovers', async (context) => {
  const { target, filter, env } = await lossyWay(context);
  const daemon = await startDaemon({ env });
  await untilRuns(daemon, 'start');
  filter.drop();
  await daemon.untilLine(down);
  filter.pass();
  await expectRecovered(target, daemon);
  expect(messages(daemon, 'error')).toHaveLength(1);
});
