import { setAlarm, type Alarm } from './alarm.js';
import type { Config } from '../config/config.js';
import type { Database } from '../db/database.js';
import type { Logger } from '../log.js';
import type { Events } from './events.js';
import { DatabaseMonitor } from './monitor.js';
import { describeFailure, isUnavailable } from '../db/sqlstate.js';
import { jobNames } from '../jobs/job.js';
import type { RefreshRequest, RunReport, Trigger } from '../jobs/outcome.js';
import { createRunJob, failedForServer, retryRefused } from './run-job.js';
import { isIncremental } from '../statistics/installation.js';
import { recordVerification, verify } from '../statistics/verify.js';
import { merge, Runner, type RunJob } from './runner.js';

/** What the jobs need of the context. `config` and `database` are replaced by a reload. */
export interface CronContext {
  readonly config: Config;
  readonly database: Database;
  readonly events: Events;
  readonly log: Logger;
  readonly signal: AbortSignal;
  reload(): Promise<readonly string[]>;
}

/** The jobs on their schedule. */
export interface CronJobs {
  /** Runs all jobs now, or once more after the current run. */
  request(trigger: Trigger): Promise<RunReport[]>;
  /** Reads the settings again and takes up a new REFRESH_SCHEDULE; a run in progress goes on. */
  reload(): Promise<void>;
  nextRun(): Date;
  /** Reports of the run at start. */
  readonly firstRun: Promise<RunReport[]>;
  readonly isDatabaseDown: boolean;
  /**
   * No new run; the current one may finish within `graceMs`, then it is cancelled on the server.
   * Resolves when nothing runs any more.
   */
  stop(graceMs: number): Promise<void>;
}

/** How long a cancelled run may take to end; a server that is out of reach never answers. */
const cancelTimeoutMs = 3_000;

/**
 * Wakes the jobs: once now, since an alarm clock never catches up on what a stopped daemon missed,
 * then by REFRESH_SCHEDULE in UTC. It only rings; overlap and drain are the runner's.
 */
export function initCronJobs(context: CronContext): CronJobs {
  let alarm = schedule();
  let isVerifying = false;
  let verifyAlarm = scheduleVerify();
  let owed: RefreshRequest | undefined;
  /** Whether the settings were read again in this outage. */
  let isReread = false;

  const monitor = new DatabaseMonitor({
    probe: () => retryRefused(() => context.database.probe(), rereadSettings),
    events: context.events,
    onUp: () => {
      const request = owed ?? requestOf('recovery');
      owed = undefined;
      void runner.request({ ...request, trigger: 'recovery' });
    },
    signal: context.signal,
  });
  const runner = new Runner({
    runJob: watchConnection(createRunJob(context, { nextRun, rereadSettings })),
    onCoalesced: (trigger) => {
      context.events.emit({ type: 'refresh-coalesced', trigger });
    },
  });

  function schedule(): Alarm {
    return setAlarm(context.config.refreshSchedule, () => void request('schedule'));
  }

  function scheduleVerify(): Alarm | undefined {
    const { verifySchedule } = context.config;
    if (verifySchedule === undefined) return undefined;
    return setAlarm(verifySchedule, () => {
      if (isVerifying) return;
      isVerifying = true;
      void verifyAndTell(context).finally(() => (isVerifying = false));
    });
  }

  function nextRun(): Date {
    return alarm.next();
  }

  async function reload(): Promise<void> {
    const changed = await context.reload();
    alarm.stop();
    verifyAlarm?.stop();
    alarm = schedule();
    verifyAlarm = scheduleVerify();
    context.events.emit({ type: 'settings-reloaded', changed });
  }

  /** Once in an outage: the password may have been changed in the settings too. */
  async function rereadSettings(): Promise<boolean> {
    if (isReread) return false;
    isReread = true;
    try {
      await reload();
      return true;
    } catch (error) {
      // What the server refuses is logged as the outage.
      const isLogged = isUnavailable(error) || context.signal.aborted;
      if (!isLogged) context.events.emit({ type: 'settings-refused', error });
      return false;
    }
  }

  function request(trigger: Trigger): Promise<RunReport[]> {
    const asked = requestOf(trigger);
    context.events.emit({ type: 'refresh-requested', request: asked });
    return runner.request(asked);
  }

  /** While the database is down nothing is tried; what was requested runs when it is back. */
  function watchConnection(runJob: RunJob): RunJob {
    return async (job, asked, signal) => {
      if (monitor.isDown) {
        owed = owed === undefined ? asked : merge(owed, asked);
        return skippedForDatabase(job, asked);
      }
      const report = await runJob(job, asked, signal);
      if (failedForServer(report) && report.result.outcome === 'failed') {
        owed = owed === undefined ? asked : merge(owed, asked);
        monitor.lost(report.result.error);
      } else {
        isReread = false;
      }
      return report;
    };
  }

  function skippedForDatabase(job: RunReport['job'], asked: RefreshRequest): RunReport {
    const result = { outcome: 'skipped', reason: 'database-down' } as const;
    const report = { job, trigger: asked.trigger, result, startedAt: new Date(), durationMs: 0 };
    context.events.emit({ type: 'run-finished', report, nextRun: nextRun() });
    return report;
  }

  return {
    request,
    nextRun,
    firstRun: request('start'),
    reload,
    get isDatabaseDown() {
      return monitor.isDown;
    },
    stop: async (graceMs) => {
      alarm.stop();
      verifyAlarm?.stop();
      const drained = runner.drain();
      if (await isDone(drained, graceMs)) return;
      runner.cancel(`the daemon stops and SHUTDOWN_TIMEOUT (${graceMs / 1000} s) is over`);
      await isDone(drained, cancelTimeoutMs);
    },
  };
}

/** Drift is an error in the log; a database without incremental statistics has nothing to verify. */
async function verifyAndTell({ database, events, log, signal }: CronContext): Promise<void> {
  const start = performance.now();
  try {
    const comparison = await database.keepOpen(async () => {
      if (!(await isIncremental(database))) return undefined;
      const found = await verify(database, { signal });
      await recordVerification(database, found.count, (error) => {
        const reason = describeFailure(error);
        log.warn({ reason }, `the verification could not be recorded: ${reason}`);
      });
      return found;
    });
    if (comparison === undefined) return;
    events.emit({ type: 'verified', comparison, durationMs: performance.now() - start });
  } catch (error) {
    if (!signal.aborted) events.emit({ type: 'verify-failed', error });
  }
}

/** A signal is a person's wish; so is nothing else here. */
function requestOf(trigger: Trigger): RefreshRequest {
  return { trigger, jobs: jobNames, isManual: trigger === 'signal' };
}

async function isDone(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, withinMs, false);
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
