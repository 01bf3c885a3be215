import { expect, onTestFinished, test } from 'vitest';
import { runCommand, type Program } from '../support/program.js';
import { startLoad, type Load } from '../support/registry-load.js';
import { messages, noSchedule, untilRuns } from '../support/runs.js';
import type { TestDatabase } from '../support/test-database.js';
import { expectRecovered } from './support/recovery.js';
import { registryDatabase, startSceneDaemon } from './support/scene.js';

const replacements = 4;

test('daemons replace each other before, during and after the migration, without an error for any client', async () => {
  const target = await registryDatabase();
  const load = await startLoad(() => target.session());
  const calling = startCalling(load);
  const fleet = new Fleet(target, load);
  await fleet.begin();

  for (let done = 0; done < replacements; done++) await fleet.replace();
  const [migrated] = await Promise.all([
    runCommand(['migrate'], { env: target.env }),
    fleet.replace(),
  ]);
  expect(migrated).toMatchObject({ code: 0 });
  for (let done = 0; done < replacements; done++) await fleet.replace();

  await calling.stop();
  expect(await load.end()).toEqual({ readers: [], writers: [], callers: [] });
  await fleet.end();
  await expectRecovered(target, await startSceneDaemon(target));
  for (const daemon of fleet.all) {
    expect([...messages(daemon, 'warn'), ...messages(daemon, 'error')]).toEqual([]);
  }
});

/** A rolling deployment starts the new daemon before it stops the old one. */
class Fleet {
  readonly all: Program[] = [];
  readonly #target: TestDatabase;
  readonly #load: Load;

  constructor(target: TestDatabase, load: Load) {
    this.#target = target;
    this.#load = load;
  }

  get current(): Program {
    const current = this.all.at(-1);
    if (current === undefined) throw new Error('expected a daemon');
    return current;
  }

  async begin(): Promise<void> {
    const daemon = await startSceneDaemon(this.#target, noSchedule);
    this.all.push(daemon);
    await untilRuns(daemon, 'start');
  }

  async replace(): Promise<void> {
    const old = this.current;
    await this.begin();
    await this.#load.progress();
    // Both run, the old one during a job.
    this.current.kill('SIGUSR2');
    old.kill('SIGUSR2');
    await old.untilLine('refresh requested (signal)');
    await this.#stop(old);
    await untilRuns(this.current, 'signal');
  }

  async end(): Promise<void> {
    await this.#stop(this.current);
  }

  async #stop(daemon: Program): Promise<void> {
    daemon.kill('SIGTERM');
    expect(await daemon.exited()).toEqual({ code: 0, signal: null });
  }
}

/**
 * Calls Registry's three functions, with a pause. Without it callers hold the lock nearly all the
 * time, and migrate's scans, which do not wait for it, start late.
 */
function startCalling(load: Load): { stop(): Promise<void> } {
  let isStopped = false;
  const call = async (): Promise<void> => {
    while (!isStopped) {
      await load.call();
      await load.progress();
      await load.progress();
    }
  };
  // Rejects with the first error of the load.
  const calling = call().catch(() => undefined);
  const stop = async (): Promise<void> => {
    isStopped = true;
    await calling;
  };
  onTestFinished(stop);
  return { stop };
}
