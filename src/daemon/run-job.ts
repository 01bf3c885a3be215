import pRetry from 'p-retry';
import { isRefused, isTransient, isUnavailable } from '../db/sqlstate.js';
import type { DaemonContext } from './daemon-context.js';
import { jobNamed, type Job } from '../jobs/job.js';
import type { FailedOutcome, Outcome, Round, RunReport } from '../jobs/outcome.js';
import { refresh } from '../statistics/refresh.js';
import type { RunJob } from './runner.js';

type RunJobContext = Pick<DaemonContext, 'config' | 'database' | 'events'>;

interface RunJobOptions {
  readonly nextRun?: () => Date | undefined;
  readonly rereadSettings?: RereadSettings;
}

/** Reads the settings again. Resolves to true if a retry makes sense. */
type RereadSettings = () => Promise<boolean>;

/** Runs `work` again if the server refused the connection and the settings may have changed. */
export async function retryRefused<Result>(
  work: () => Promise<Result>,
  rereadSettings: RereadSettings | undefined,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isRefused(error) || (await rereadSettings?.()) !== true) throw error;
    return work();
  }
}

/** Returns the function that runs a job with the current settings and database. */
export function createRunJob(context: RunJobContext, options: RunJobOptions = {}): RunJob {
  return async (name, round, signal) => {
    const job = jobNamed(name);
    const startedAt = new Date();
    const start = performance.now();
    context.events.emit({ type: 'run-started', job, trigger: round.trigger });
    const result = await outcomeOf({ ...options, context, job, round, signal });
    const durationMs = performance.now() - start;
    const report: RunReport = {
      job: name,
      trigger: round.trigger,
      result,
      startedAt,
      durationMs,
    };
    context.events.emit({ type: 'run-finished', report, nextRun: options.nextRun?.() });
    return report;
  };
}

interface JobRun extends RunJobOptions {
  readonly context: RunJobContext;
  readonly job: Job;
  readonly round: Round;
  readonly signal: AbortSignal;
}

async function outcomeOf(run: JobRun): Promise<Outcome> {
  const { context, job, round, signal, rereadSettings } = run;
  const attempt = async (): Promise<Outcome> => {
    // Read in each attempt: a reload retires the pool of the previous attempt.
    const { config, database } = context;
    if (config.isMaintenance) return { outcome: 'skipped', reason: 'maintenance' };
    const timeouts = {
      statementTimeoutMs: job.statementTimeoutMs(config),
      lockTimeoutMs: config.timeouts.lockMs,
    };
    return database.keepOpen(() => refresh(database, job, round, { ...timeouts, signal }));
  };
  try {
    return await pRetry(() => retryRefused(attempt, rereadSettings), {
      retries: context.config.retryAttempts,
      minTimeout: 250,
      maxTimeout: 5_000,
      randomize: true,
      signal,
      shouldRetry: ({ error }) => isTransient(error),
      onFailedAttempt: ({ error, retriesLeft }) => {
        if (retriesLeft === 0 || !isTransient(error) || signal.aborted) return;
        context.events.emit({ type: 'run-retried', job: job.name, error, retriesLeft });
      },
    });
  } catch (error) {
    if (signal.aborted) return { outcome: 'cancelled', reason: String(signal.reason) };
    return { outcome: 'failed', error };
  }
}

/** Returns whether a run failed only because of the server's state, which the monitor reports. */
export function failedForServer(result: Outcome): result is FailedOutcome {
  return result.outcome === 'failed' && isUnavailable(result.error);
}
