import { jobNames } from '../jobs/job.js';
import type { RefreshRequest, RunReport, Trigger } from '../jobs/outcome.js';
import { setAlarm, type Alarm } from './alarm.js';
import type { DaemonContext } from './daemon-context.js';
import { Outage } from './outage.js';
import { createRunJob } from './run-job.js';
import { Runner } from './runner.js';
import { setAgeAlarm } from './verification-age.js';
import { createVerification } from './verification.js';

/** The jobs on their schedule. */
export interface CronJobs {
  /** Runs all jobs now, or once more after the current run. */
  request(trigger: Trigger): Promise<RunReport[]>;
  /** Reads the settings again and applies a new REFRESH_SCHEDULE; a run in progress goes on. */
  reload(): Promise<void>;
  nextRun(): Date;
  /** undefined without VERIFY_SCHEDULE. */
  nextVerification(): Date | undefined;
  /** Reports of the run at start. */
  readonly firstRun: Promise<RunReport[]>;
  isDatabaseDown(): boolean;
  /**
   * Starts no new run. The current one may finish within `graceMs`; then it is cancelled on the
   * server. Resolves when no job runs, or when an unreachable server does not confirm the cancel. A
   * verification ends with the stop request.
   */
  stop(graceMs: number): Promise<void>;
}

/**
 * Runs the three jobs now, then by REFRESH_SCHEDULE in UTC, and verifies by VERIFY_SCHEDULE. The run
 * now replaces what a stopped daemon missed: an alarm never catches up.
 *
 * Alarms and signals make requests. A request goes through the runner (one round at a time), the
 * outage (nothing while the database is down), run-job (retries and events) and refresh.
 */
export function initCronJobs(context: DaemonContext): CronJobs {
  const onRefresh = (): void => void request('schedule');
  const onVerify = createVerification(context);
  const nextRun = (): Date => alarms.refresh.next();
  const onBack = (missed: RefreshRequest): void => void runner.request(missed);
  const outage = new Outage(context, { reload, onBack, nextRun });
  const runJob = createRunJob(context, { nextRun, rereadSettings: outage.rereadSettings });
  const runner = new Runner({
    runJob: outage.holdBack(runJob),
    onCoalesced: reportCoalesced(context),
  });
  let alarms = setAlarms(context, onRefresh, onVerify);

  async function reload(): Promise<void> {
    const changed = await context.reload();
    alarms.stop();
    alarms = setAlarms(context, onRefresh, onVerify);
    context.events.emit({ type: 'settings-reloaded', changed });
  }

  function request(trigger: Trigger): Promise<RunReport[]> {
    const wanted: RefreshRequest = { trigger, jobs: jobNames, isManual: trigger === 'signal' };
    context.events.emit({ type: 'refresh-requested', request: wanted });
    return runner.request(wanted);
  }

  return {
    request,
    reload,
    nextRun,
    nextVerification: () => alarms.verify?.next(),
    firstRun: request('start'),
    stop: (graceMs) => {
      alarms.stop();
      return runner.stop(graceMs);
    },
    isDatabaseDown: () => outage.isDown,
  };
}

interface Alarms {
  readonly refresh: Alarm;
  readonly verify: Alarm | undefined;
  stop(): void;
}

function setAlarms(context: DaemonContext, onRefresh: () => void, onVerify: () => void): Alarms {
  const { refreshSchedule, verifySchedule } = context.config;
  const refresh = setAlarm(refreshSchedule, onRefresh);
  const verify = verifySchedule === undefined ? undefined : setAlarm(verifySchedule, onVerify);
  const age = setAgeAlarm(context);
  return {
    refresh,
    verify,
    stop: () => {
      for (const alarm of [refresh, verify, age]) alarm?.stop();
    },
  };
}

function reportCoalesced({ events }: DaemonContext): (trigger: Trigger) => void {
  return (trigger) => {
    events.emit({ type: 'refresh-coalesced', trigger });
  };
}
