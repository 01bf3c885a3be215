import type { Context } from '../context.js';
import { createRunJob } from '../daemon/run-job.js';
import { Runner } from '../daemon/runner.js';
import type { JobName } from '../jobs/job.js';
import type { RunReport } from '../jobs/outcome.js';

/**
 * Runs jobs once, for a command. A stop request cancels the current one on the server and starts no
 * other: then there are fewer reports than jobs.
 */
export function runJobs(context: Context, jobs: readonly JobName[]): Promise<RunReport[]> {
  const runner = new Runner({ runJob: createRunJob(context) });
  const cancel = (): void => {
    void runner.drain();
    runner.cancel(`stopped by ${String(context.signal.reason)}`);
  };
  if (context.signal.aborted) cancel();
  else context.signal.addEventListener('abort', cancel, { once: true });
  return runner.request({ trigger: 'command', jobs, isManual: true });
}
