import { describeFailure } from '../db/sqlstate.js';
import { jobs, type Job, type JobName } from '../jobs/job.js';
import { describeOutcome, goodSkips, type Outcome, type RunReport } from '../jobs/outcome.js';
import type { DaemonState, Installation, JobHistory } from '../status/model.js';
import type { CronJobs } from './cron.js';
import type { DaemonContext } from './daemon-context.js';

interface StatusBoard {
  /** Sets the scheduled jobs. Until then the daemon is starting. */
  watch(cronJobs: CronJobs): void;
  readonly current: () => DaemonState;
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };

interface Identity {
  readonly pid: number;
  readonly programVersion: string;
}

/** Collects the daemon's own state from events. */
export function createStatusBoard(
  context: Pick<DaemonContext, 'config' | 'database' | 'events'>,
  { pid, programVersion }: Identity,
): StatusBoard {
  const startedAt = new Date().toISOString();
  const histories = new Map(jobs.map((job) => [job.name, emptyHistory(job)] as const));
  const times = watchTimes(context);
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
      installation: describeInstallation(context, programVersion),
      isMaintenance: context.config.isMaintenance,
      isDatabaseDown: cronJobs?.isDatabaseDown() ?? false,
      ...times,
      nextRun: cronJobs?.nextRun().toISOString() ?? null,
      nextVerification: cronJobs?.nextVerification()?.toISOString() ?? null,
      jobs: [...histories.values()].map((history) => ({ ...history })),
    }),
  };
}

/** A reload may change the database. */
function describeInstallation(
  { config, database }: Pick<DaemonContext, 'config' | 'database'>,
  programVersion: string,
): Installation {
  const { name, host } = database.options.connection;
  const environment = config.aptEnv;
  return { programVersion, environment, databaseName: name, databaseHost: host };
}

type Times = Pick<DaemonState, 'maintenanceSince' | 'databaseDownSince' | 'databaseProblem'>;

/** Returns since when maintenance and an outage last; events keep it up to date. */
function watchTimes(context: Pick<DaemonContext, 'config' | 'events'>): Times {
  const now = (): string => new Date().toISOString();
  const times: Mutable<Times> = {
    maintenanceSince: context.config.isMaintenance ? now() : null,
    databaseDownSince: null,
    databaseProblem: null,
  };
  context.events.observe((event) => {
    if (event.type === 'settings-reloaded') {
      times.maintenanceSince = context.config.isMaintenance
        ? (times.maintenanceSince ?? now())
        : null;
    }
    if (event.type === 'database-down') {
      times.databaseDownSince ??= now();
      times.databaseProblem = describeFailure(event.error);
    }
    if (event.type === 'database-up') {
      times.databaseDownSince = null;
      times.databaseProblem = null;
    }
  });
  return times;
}

function emptyHistory({ name, title, subject }: Job): Mutable<JobHistory> {
  return {
    job: name,
    title,
    subject,
    isRunning: false,
    lastRun: null,
    lastSuccess: null,
    consecutiveFailures: 0,
    failingSince: null,
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
  if (result.outcome === 'failed') {
    history.consecutiveFailures++;
    history.failingSince ??= startedAt.toISOString();
  }
  if (hasSucceeded(result)) {
    history.consecutiveFailures = 0;
    history.failingSince = null;
    history.lastSuccess = new Date(startedAt.getTime() + durationMs).toISOString();
  }
}

/** Returns whether the figures are current: a skip counts if there was nothing to do. */
function hasSucceeded(result: Outcome): boolean {
  if (result.outcome === 'skipped') return goodSkips.has(result.reason);
  return result.outcome === 'refreshed';
}
