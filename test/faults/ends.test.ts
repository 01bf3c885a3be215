import { expect, test } from 'vitest';
import type { Program } from '../support/program.js';
import type { TestDatabase } from '../support/test-database.js';
import { startOwnServer, type OwnServer } from './support/own-server.js';
import { heldRun, recordOf, untilBackendEnds } from './support/records.js';
import { expectRecovered } from './support/recovery.js';
import { databaseWithWork, startSceneDaemon } from './support/scene.js';
import { haltAt, runSteps } from './support/steps.js';

interface Struck {
  readonly target: TestDatabase;
  /** Held at the step, with the pid of its backend. */
  readonly daemon: Program;
  readonly pid: number;
}

interface Fault {
  readonly name: string;
  /** The outcome in the run's record. */
  readonly outcome: 'crashed' | 'failed';
  readonly reason: RegExp;
  /** Only for tests that stop the server; the shared one must run. */
  readonly startServer?: () => Promise<OwnServer>;
  /** Returns the daemon that must recover. */
  readonly strike: (struck: Struck, server: OwnServer | undefined) => Promise<Program>;
}

const faults: readonly Fault[] = [
  {
    name: 'the daemon is killed',
    outcome: 'crashed',
    reason: /^its server process ended without finishing it$/,
    strike: async ({ target, daemon, pid }) => {
      daemon.kill('SIGKILL');
      await untilBackendEnds(target, pid);
      return startSceneDaemon(target);
    },
  },
  {
    name: 'its backend is terminated',
    outcome: 'failed',
    reason: /terminating connection due to administrator command \(57P01\)$/,
    strike: async ({ target, daemon, pid }) => {
      await target.query('select pg_terminate_backend($1)', [pid]);
      return daemon;
    },
  },
  {
    name: 'its statement is cancelled',
    outcome: 'failed',
    reason: /^canceling statement due to user request \(57014\)$/,
    strike: async ({ target, daemon, pid }) => {
      await target.query('select pg_cancel_backend($1)', [pid]);
      return daemon;
    },
  },
  ...(['fast', 'immediate'] as const).map((mode): Fault => ({
    name: `the server is stopped (${mode}) and started`,
    outcome: 'crashed',
    reason: /^its server process ended without finishing it$/,
    startServer: startOwnServer,
    strike: async ({ daemon }, server) => {
      await server?.stop(mode);
      await daemon.untilLine('the database does not respond; runs wait until it is back');
      await server?.start();
      return daemon;
    },
  })),
];

for (const { name, outcome, reason, startServer, strike } of faults) {
  for (const step of runSteps) {
    test(`${name} ${step.name}`, async () => {
      const server = await startServer?.();
      const target = server?.target ?? (await databaseWithWork());
      const halt = await haltAt(target, step);
      const daemon = await startSceneDaemon(target);
      const pid = await halt.reached();
      const run = await heldRun(target);
      const survivor = await strike({ target, daemon, pid }, server);
      await halt.open();
      await expectRecovered(target, survivor);

      expect(run === undefined).toBe(step.isUnrecorded === true);
      if (run === undefined) return;
      const record = { outcome, reason: expect.stringMatching(reason) as string };
      expect(await recordOf(target, run)).toEqual(record);
    });
  }
}
