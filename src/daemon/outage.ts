import { isUnavailable } from '../db/sqlstate.js';
import type { RefreshRequest, RunReport } from '../jobs/outcome.js';
import type { DaemonContext } from './daemon-context.js';
import { DatabaseMonitor } from './monitor.js';
import { failedForServer, retryRefused } from './run-job.js';
import { merge, type RunJob } from './runner.js';

interface OutageOptions {
  /** Reads the settings again. */
  readonly reload: () => Promise<void>;
  /** Called once the database is back, with all that was requested meanwhile. */
  readonly onBack: (missed: RefreshRequest) => void;
  readonly nextRun: () => Date;
}

/** Holds runs back while the database is down, and remembers what was requested meanwhile. */
export class Outage {
  readonly #context: DaemonContext;
  readonly #options: OutageOptions;
  readonly #monitor: DatabaseMonitor;
  #missed: RefreshRequest | undefined;
  #isReread = false;

  constructor(context: DaemonContext, options: OutageOptions) {
    this.#context = context;
    this.#options = options;
    this.#monitor = new DatabaseMonitor({
      probe: () => retryRefused(() => context.database.probe(), this.rereadSettings),
      events: context.events,
      onUp: () => {
        const missed = this.#missed;
        this.#missed = undefined;
        if (missed !== undefined) options.onBack({ ...missed, trigger: 'recovery' });
      },
      signal: context.signal,
    });
  }

  get isDown(): boolean {
    return this.#monitor.isDown;
  }

  /** Wraps what the runner does with a job: nothing is tried while the database is down. */
  holdBack(runJob: RunJob): RunJob {
    return async (job, round, signal) => {
      if (this.isDown) return this.#skip(job, round);
      const report = await runJob(job, round, signal);
      const { result } = report;
      if (failedForServer(result)) {
        this.#remember(round);
        this.#monitor.lost(result.error);
      } else {
        this.#isReread = false;
      }
      return report;
    };
  }

  /**
   * Reads the settings again, once in an outage: the password may have been changed there too.
   * Resolves with whether another try is worth it.
   */
  readonly rereadSettings = async (): Promise<boolean> => {
    if (this.#isReread) return false;
    this.#isReread = true;
    try {
      await this.#options.reload();
      return true;
    } catch (error) {
      // A refusal of the server is logged as the outage.
      const isLogged = isUnavailable(error) || this.#context.signal.aborted;
      if (!isLogged) this.#context.events.emit({ type: 'settings-refused', error });
      return false;
    }
  };

  #remember(request: RefreshRequest): void {
    this.#missed = this.#missed === undefined ? request : merge(this.#missed, request);
  }

  #skip(job: RunReport['job'], request: RefreshRequest): RunReport {
    this.#remember(request);
    const result = { outcome: 'skipped', reason: 'database-down' } as const;
    const { trigger } = request;
    const report = { job, trigger, result, startedAt: new Date(), durationMs: 0 };
    this.#context.events.emit({
      type: 'run-finished',
      report,
      nextRun: this.#options.nextRun(),
    });
    return report;
  }
}
