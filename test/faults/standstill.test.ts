import { expect, test } from 'vitest';
import { startDaemon, temporaryDirectory, type Program } from '../support/program.js';
import { messages, untilRuns } from '../support/runs.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestDatabase } from '../support/test-database.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';
import { haltAt, runSteps } from './support/steps.js';

const standstillMs = 30_000;
const blocker = fileURLToPath(new URL('support/blocked-loop.mjs', import.meta.url));

/** Everything stops. */
async function stopProcess(daemon: Program): Promise<void> {
  daemon.kill('SIGSTOP');
  await sleep(standstillMs);
  daemon.kill('SIGCONT');
}

interface Standstill {
  readonly daemon: Program;
  readonly happen: () => Promise<void>;
}

const standstills: readonly {
  readonly name: string;
  readonly start: (env: TestDatabase['env']) => Promise<Standstill>;
}[] = [
  {
    name: 'a process that is stopped for 30 s',
    start: async (env) => {
      const daemon = await startDaemon({ env });
      return { daemon, happen: () => stopProcess(daemon) };
    },
  },
  {
    name: 'an event loop that is blocked for 30 s',
    start: async (env) => {
      const file = path.join(await temporaryDirectory(), 'block');
      const daemon = await startDaemon({
        env: { ...env, BLOCK_FILE: file },
        nodeArgs: ['--import', blocker],
      });
      const happen = async (): Promise<void> => {
        await writeFile(file, String(standstillMs));
        await daemon.until('the end of the block', () => daemon.stderr.includes('blocked for'));
      };
      return { daemon, happen };
    },
  },
];

for (const { name, start } of standstills) {
  test(`${name} runs once afterwards, on new connections, and responds again`, async () => {
    const target = await databaseWithWork();
    const proxy = await startTcpProxy();
    const way = { DB_HOST: '127.0.0.1', DB_PORT: String(proxy.port) };
    const { daemon, happen } = await start({ ...target.env, ...way, ...sceneSettings });
    await untilRuns(daemon, 'schedule');
    const { statusUrl } = await daemon.untilLine('started;');
    const happening = happen();
    await proxy.cut();
    await proxy.restore();
    await happening;
    const end = await daemon.until('a request after it', () => requestAfterStandstill(daemon));
    await daemon.until('three requests more', () => requestsSince(daemon, end).length > 3);

    // One for all missed runs, in addition to one per second.
    const since = requestsSince(daemon, end);
    expect(since.length).toBeLessThanOrEqual(2 + (Math.max(...since) - end) / 1000);
    expect((await fetch(`${statusUrl}/live`)).status).toBe(200);
    await expectRecovered(target, daemon);
    expect(messages(daemon, 'error')).toEqual([]);
  });

  test(`${name} during a run holds its lock for at most a minute`, async () => {
    const target = await databaseWithWork();
    const [step] = runSteps.filter((candidate) => candidate.name === 'in the fold');
    if (step === undefined) throw new Error('no such step');
    const halt = await haltAt(target, step);
    const { daemon, happen } = await start({ ...target.env, ...sceneSettings });
    await halt.reached();
    const happening = happen();
    await halt.open();
    await happening;
    await expectRecovered(target, daemon);
  });
}

function requestTimes(daemon: Program): number[] {
  return daemon.lines
    .filter(({ msg }) => msg === 'refresh requested (schedule)')
    .map(({ time }) => Date.parse(String(time)));
}

function requestsSince(daemon: Program, moment: number): number[] {
  return requestTimes(daemon).filter((time) => time >= moment);
}

function requestAfterStandstill(daemon: Program): number | undefined {
  const times = requestTimes(daemon);
  return times.find((time, index) => time - (times[index - 1] ?? time) > standstillMs * 0.9);
}
