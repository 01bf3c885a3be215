import { test } from 'vitest';
import { startDaemon } from '../support/program.js';
import { eventually } from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer } from './support/own-server.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, sceneSettings } from './support/scene.js';
import { haltAt, runSteps } from './support/steps.js';

for (const step of runSteps) {
  test(`the daemon is killed ${step.name}`, async () => {
    const target = await databaseWithWork();
    const env = { ...target.env, ...sceneSettings };
    const halt = await haltAt(target, step);
    const killed = await startDaemon({ env });
    const pid = await halt.reached();
    killed.kill('SIGKILL');
    await eventually('the end of its backend', () => isGone(target, pid));
    await halt.open();
    await expectRecovered(target, await startDaemon({ env }));
  });

  for (const mode of ['fast', 'immediate'] as const) {
    test(`the server is stopped (${mode}) ${step.name}, and started again`, async () => {
      const server = await startOwnServer();
      const { target } = server;
      const halt = await haltAt(target, step);
      const daemon = await startDaemon({ env: { ...target.env, ...sceneSettings } });
      await halt.reached();
      await server.stop(mode);
      await daemon.untilLine('the database does not answer; runs wait until it is back');
      await server.start();
      await expectRecovered(target, daemon);
    });
  }
}

async function isGone({ query }: TestDatabase, pid: number): Promise<boolean> {
  const found = await query('select from pg_stat_activity where pid = $1', [pid]);
  return found.length === 0;
}
