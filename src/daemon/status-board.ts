import type { CronJobs } from './cron.js';
import type { DaemonContext } from './daemon-context.js';
import { jobs, type JobName } from '../jobs/job.js';
import {
  describeOutcome,
  type Outcome,
  type RunReport,
  type SkipReason,
  type Trigger,
} from '../jobs/outcome.js';

/** One job as the daemon knows it since its start. Times are ISO 8601 in UTC. */
export interface JobStatus {
  readonly job: JobName;
  readonly subject: string;
  readonly isRunning: boolean;
  readonly lastRun: LastRun | null;
  /** End of the last run that refreshed or found everything fresh. */
  readonly lastSuccess: string | null;
  readonly consecutiveFailures: number;
}

export interface LastRun {
  readonly trigger: Trigger;
  readonly outcome: Outcome['outcome'];
  readonly reason: string;
  /** The reason's name where the run was skipped, else null. */
  readonly skipReason: SkipReason | null;
  readonly startedAt: string;
  readonly durationMs: number;
}

/** What `/api/status` answers. `version` grows when a field changes its meaning or goes. */
export interface DaemonStatus {
  readonly version: 1;
  readonly pid: number;
  readonly startedAt: string;
  readonly isMaintenance: boolean;
  readonly isDatabaseDown: boolean;
  readonly nextRun: string | null;
  readonly jobs: readonly JobStatus[];
}

export interface StatusBoard {
  /** The jobs, as soon as they run: until then the daemon is starting. */
  watch(cronJobs: CronJobs): void;
  current(): DaemonStatus;
  /** Why the daemon is not ready for use, or undefined if it is. */
  reasonNotReady(): string | undefined;
}

type JobState = { -readonly [Field in keyof JobStatus]: JobStatus[Field] };

/** Keeps, from the events, what the status shows. */
export function createStatusBoard(
  context: Pick<DaemonContext, 'config' | 'events'>,
  pid: number,
): StatusBoard {
  const startedAt = new Date().toISOString();
  const states = new Map<JobName, JobState>(
    jobs.map(({ name, subject }) => [
      name,
      {
        job: name,
        subject,
        isRunning: false,
        lastRun: null,
        lastSuccess: null,
        consecutiveFailures: 0,
      },
    ]),
  );
  let cronJobs: CronJobs | undefined;
  context.events.observe((event) => {
    if (event.type === 'run-started') stateOf(event.job.name).isRunning = true;
    if (event.type === 'run-finished') record(stateOf(event.report.job), event.report);
  });

  function stateOf(name: JobName): JobState {
    const state = states.get(name);
    if (state === undefined) throw new Error(`no state of job ${name}`);
    return state;
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
      isDatabaseDown: cronJobs?.isDatabaseDown ?? false,
      nextRun: cronJobs?.nextRun().toISOString() ?? null,
      jobs: [...states.values()].map((state) => ({ ...state })),
    }),
    reasonNotReady: () => {
      if (cronJobs === undefined) return 'starting';
      if (cronJobs.isDatabaseDown) return 'the database does not answer, or takes no writes';
      const unfinished = [...states.values()].find((state) => state.lastRun === null);
      if (unfinished !== undefined) return `first run of ${unfinished.job} not finished`;
      const failing = [...states.values()].find((state) => state.consecutiveFailures > 0);
      if (failing !== undefined) return `${failing.job} failed: ${failing.lastRun?.reason ?? ''}`;
      return undefined;
    },
  };
}

function record(state: JobState, report: RunReport): void {
  const { result, trigger, startedAt, durationMs } = report;
  state.isRunning = false;
  state.lastRun = {
    trigger,
    outcome: result.outcome,
    reason: describeOutcome(result),
    skipReason: result.outcome === 'skipped' ? result.reason : null,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
  };
  if (result.outcome === 'failed') state.consecutiveFailures++;
  if (hasSucceeded(result)) {
    state.consecutiveFailures = 0;
    state.lastSuccess = new Date(startedAt.getTime() + durationMs).toISOString();
  }
}

/** Skipped because there was nothing to do is a success; skipped because it may not, is not. */
function hasSucceeded(result: Outcome): boolean {
  if (result.outcome === 'skipped')
    return ['unchanged', 'complete', 'busy', 'declined'].includes(result.reason);
  return result.outcome === 'refreshed';
}
