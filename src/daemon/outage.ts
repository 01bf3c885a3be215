import { isUnavailable } from '../db/sqlstate.js';
import type { RefreshRequest, RunReport } from '../jobs/outcome.js';
import type { DaemonContext } from './daemon-context.js';
import { DatabaseMonitor } from './monitor.js';
import { failedForServer, retryRefused } from './run-job.js';
import { merge, type RunJob } from './runner.js';

export interface OutageOptions {
  /** Reads the settings again. */
  readonly reload: () => Promise<void>;
  /** Called once the database is back, with all that was requested meanwhile. */
  readonly onBack: (missed: RefreshRequest) => void;
}

/** What happens to runs while the database is down. */
export interface Outage {
  readonly isDown: boolean;
  /** Tries nothing while the database is down, and remembers the request until it is back. */
  holdBack(runJob: RunJob, nextRun: () => Date): RunJob;
  /**
   * Reads the settings again, once in an outage: the password may have been changed there too.
   * Resolves with whether another try is worth it.
   */
  readonly rereadSettings: () => Promise<boolean>;
}

/** Watches the database for the runner. */
export function createOutage(context: DaemonContext, options: OutageOptions): Outage {
  let missed: RefreshRequest | undefined;
  let isReread = false;
  const monitor = new DatabaseMonitor({
    probe: () => retryRefused(() => context.database.probe(), rereadSettings),
    events: context.events,
    onUp: () => {
      const request = missed;
      missed = undefined;
      if (request !== undefined) options.onBack({ ...request, trigger: 'recovery' });
    },
    signal: context.signal,
  });

  async function rereadSettings(): Promise<boolean> {
    if (isReread) return false;
    isReread = true;
    try {
      await options.reload();
      return true;
    } catch (error) {
      // A refusal of the server is logged as the outage.
      const isLogged = isUnavailable(error) || context.signal.aborted;
      if (!isLogged) context.events.emit({ type: 'settings-refused', error });
      return false;
    }
  }

  function remember(request: RefreshRequest): void {
    missed = missed === undefined ? request : merge(missed, request);
  }

  function holdBack(runJob: RunJob, nextRun: () => Date): RunJob {
    return async (job, request, signal) => {
      if (monitor.isDown) {
        remember(request);
        const report = skippedReport(job, request);
        context.events.emit({ type: 'run-finished', report, nextRun: nextRun() });
        return report;
      }
      const report = await runJob(job, request, signal);
      if (failedForServer(report) && report.result.outcome === 'failed') {
        remember(request);
        monitor.lost(report.result.error);
      } else {
        isReread = false;
      }
      return report;
    };
  }

  return {
    get isDown() {
      return monitor.isDown;
    },
    holdBack,
    rereadSettings,
  };
}

function skippedReport(job: RunReport['job'], { trigger }: RefreshRequest): RunReport {
  const result = { outcome: 'skipped', reason: 'database-down' } as const;
  return { job, trigger, result, startedAt: new Date(), durationMs: 0 };
}
