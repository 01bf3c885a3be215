import { expect, test } from 'vitest';
import { runJobs } from '../src/commands/run-jobs.js';
import type { Context } from '../src/context.js';
import { jobNames, type JobName } from '../src/jobs/job.js';
import type { RefreshRequest, Round, RunReport, Trigger } from '../src/jobs/outcome.js';
import { Runner, type RunJob } from '../src/daemon/runner.js';

function request(changed: Partial<RefreshRequest> = {}): RefreshRequest {
  return { trigger: 'schedule', jobs: jobNames, isManual: false, ...changed };
}

/** Creates a runner whose job runs until the test ends it, and records its requests. */
function controlledRunner() {
  const started: { job: JobName; request: Round }[] = [];
  const coalesced: Trigger[] = [];
  const endings: (() => void)[] = [];
  const runJob: RunJob = (job, request, signal) =>
    new Promise((resolve) => {
      started.push({ job, request: request });
      const end = (result: RunReport['result']): void => {
        resolve({ job, trigger: request.trigger, result, startedAt: new Date(), durationMs: 1 });
      };
      endings.push(() => {
        end({ outcome: 'skipped', reason: 'unchanged' });
      });
      signal.addEventListener('abort', () => {
        end({ outcome: 'cancelled', reason: String(signal.reason) });
      });
    });
  const runner = new Runner({ runJob, onCoalesced: (trigger) => coalesced.push(trigger) });
  const endNext = async (): Promise<void> => {
    endings.shift()?.();
    await new Promise(setImmediate);
  };
  return { runner, started, coalesced, endNext };
}

test('jobs of a request run in order, one after the other', async () => {
  const { runner, started, endNext } = controlledRunner();
  const done = runner.request(request());

  expect(started.map(({ job }) => job)).toEqual(['update_counts']);
  await endNext();
  expect(started).toHaveLength(2);
  await endNext();
  await endNext();
  expect((await done).map(({ job }) => job)).toEqual([...jobNames]);
});

test('ten requests during a run become one more run, which resolves them all', async () => {
  const { runner, started, coalesced, endNext } = controlledRunner();
  const jobs = ['update_counts'] as const;
  const first = runner.request(request({ jobs }));
  const others = Array.from({ length: 10 }, () =>
    runner.request(request({ jobs, trigger: 'signal' })),
  );
  await endNext();
  await first;
  await endNext();
  const reports = await Promise.all(others);

  expect(started).toHaveLength(2);
  expect(coalesced).toHaveLength(10);
  expect(new Set(reports.map(([report]) => report)).size).toBe(1);
});

test('merged requests keep every job, and a manual one makes the run manual', async () => {
  const { runner, started, endNext } = controlledRunner();
  void runner.request(request({ jobs: ['update_counts'] }));
  void runner.request(request({ jobs: ['populate_all_historical_deposit_stats'] }));
  void runner.request(request({ jobs: ['update_counts'], trigger: 'signal', isManual: true }));
  await endNext();
  await endNext();

  expect(started.slice(1)).toEqual([
    {
      job: 'update_counts',
      request: {
        trigger: 'signal',
        jobs: ['update_counts', 'populate_all_historical_deposit_stats'],
        isManual: true,
        idle: new Set(),
      },
    },
    { job: 'populate_all_historical_deposit_stats', request: started[1]?.request },
  ]);
});

test('draining waits for the current job, starts no other, and resolves waiting requests', async () => {
  const { runner, started, endNext } = controlledRunner();
  const current = runner.request(request());
  const waiting = runner.request(request());
  const drained = runner.drain();
  await endNext();
  await drained;

  expect(started).toHaveLength(1);
  expect(await current).toHaveLength(1);
  expect(await waiting).toEqual([]);
  expect(await runner.request(request())).toEqual([]);
});

test('cancelling ends the current job as cancelled, with the reason', async () => {
  const { runner } = controlledRunner();
  const current = runner.request(request());
  const drained = runner.drain();
  runner.cancel('time is over');
  await drained;

  expect((await current).map(({ result }) => result)).toEqual([
    { outcome: 'cancelled', reason: 'time is over' },
  ]);
});

test('a command that was stopped before its first job starts none', async () => {
  // Anything else that a job would need is missing.
  const context = { signal: AbortSignal.abort('SIGINT') } as unknown as Context;
  expect(await runJobs(context, jobNames)).toEqual([]);
});
