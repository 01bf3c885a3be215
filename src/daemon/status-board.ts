import { jobs, type JobName } from '../jobs/job.js';
import { describeOutcome, goodSkips, type Outcome, type RunReport } from '../jobs/outcome.js';
import type { DaemonState, JobHistory } from '../status/model.js';
import type { CronJobs } from './cron.js';
import type { DaemonContext } from './daemon-context.js';

interface StatusBoard {
  /** Sets the scheduled jobs. Until then the daemon is starting. */
  watch(cronJobs: CronJobs): void;
  readonly current: () => DaemonState;
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };

/** Collects the daemon's own state from events. */
export function createStatusBoard(
  context: Pick<DaemonContext, 'config' | 'events'>,
  pid: number,
): StatusBoard {
  const startedAt = new Date().toISOString();
  const histories = new Map(
    jobs.map(({ name, subject }) => [name, emptyHistory(name, subject)] as const),
  );
  let cronJobs: CronJobs | undefined;
  context.events.observe((event) => {
    if (event.type === 'run-started') historyOf(event.job.name).isRunning = true;
    if (event.type === 'run-finished') record(historyOf(event.report.job), event.report);
  });

  function historyOf(name: JobName): Mutable<JobHistory> {
    const history = histories.get(name);
    if (history === undefined) throw new Error(`no history of job ${name}`);
    return history;
  }

  return {
    watch: (started) => {
      cronJobs = started;
    },
    current: () => ({
      version: 1,
      pid,
      startedAt,
      isMaintenance: context.config.isMaintenance,
      isDatabaseDown: cronJobs?.isDatabaseDown() ?? false,
      nextRun: cronJobs?.nextRun().toISOString() ?? null,
      jobs: [...histories.values()].map((history) => ({ ...history })),
    }),
  };
}

function emptyHistory(job: JobName, subject: string): Mutable<JobHistory> {
  return {
    job,
    subject,
    isRunning: false,
    lastRun: null,
    lastSuccess: null,
    consecutiveFailures: 0,
  };
}

function record(history: Mutable<JobHistory>, report: RunReport): void {
  const { result, trigger, startedAt, durationMs } = report;
  history.isRunning = false;
  history.lastRun = {
    trigger,
    outcome: result.outcome,
    reason: describeOutcome(result),
    skipReason: result.outcome === 'skipped' ? result.reason : null,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
  };
  if (result.outcome === 'failed') history.consecutiveFailures++;
  if (hasSucceeded(result)) {
    history.consecutiveFailures = 0;
    history.lastSuccess = new Date(startedAt.getTime() + durationMs).toISOString();
  }
}

/** Returns whether the figures are current: a skip counts if there was nothing to do. */
function hasSucceeded(result: Outcome): boolean {
  if (result.outcome === 'skipped') return goodSkips.has(result.reason);
  return result.outcome === 'refreshed';
}
