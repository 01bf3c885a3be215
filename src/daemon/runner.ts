import { setTimeout as sleep } from 'node:timers/promises';
import { jobNames, type JobName } from '../jobs/job.js';
import {
  beginRound,
  type RefreshRequest,
  type Round,
  type RunReport,
  type Trigger,
} from '../jobs/outcome.js';

/** Runs one job to its end. Never throws for a failure of the job. */
export type RunJob = (job: JobName, round: Round, signal: AbortSignal) => Promise<RunReport>;

interface RunnerOptions {
  readonly runJob: RunJob;
  readonly onCoalesced?: (trigger: Trigger) => void;
}

/** The limit for a cancel: a server that is unreachable never confirms it. */
const cancelTimeoutMs = 3_000;

interface Pending {
  request: RefreshRequest;
  readonly done: Promise<RunReport[]>;
  readonly resolve: (reports: RunReport[] | Promise<RunReport[]>) => void;
}

/**
 * Runs the jobs of a request in order, one request at a time. Requests during a run are merged into
 * one: the union of their jobs, manual if one of them is manual.
 */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #abort = new AbortController();
  #current: Promise<RunReport[]> | undefined;
  #pending: Pending | undefined;
  #isStopped = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Returns the reports of the run that serves this request; empty if the runner stopped first. */
  request(request: RefreshRequest): Promise<RunReport[]> {
    if (this.#isStopped) return Promise.resolve([]);
    if (this.#current === undefined) return this.#start(request);
    if (this.#pending === undefined) {
      this.#pending = { request, ...deferred() };
    } else {
      this.#pending.request = merge(this.#pending.request, request);
    }
    this.#options.onCoalesced?.(request.trigger);
    return this.#pending.done;
  }

  /**
   * Starts no more jobs. Waits `graceMs` for the current job, then cancels it on the server.
   * Resolves when it has ended, or when an unreachable server does not confirm in time.
   */
  async stop(graceMs: number): Promise<void> {
    const drained = this.drain();
    if (await isDone(drained, graceMs)) return;
    this.cancel(`the daemon stops and SHUTDOWN_TIMEOUT (${graceMs / 1000} s) is over`);
    await isDone(drained, cancelTimeoutMs);
  }

  /** Starts no more jobs. Resolves when the current job has ended. */
  async drain(): Promise<void> {
    this.#isStopped = true;
    this.#pending?.resolve([]);
    this.#pending = undefined;
    await this.#current;
  }

  /** Cancels the current job on the server. `drain` resolves soon after. */
  cancel(reason: string): void {
    this.#abort.abort(reason);
  }

  #start(request: RefreshRequest): Promise<RunReport[]> {
    const run = this.#runAll(request).finally(() => {
      this.#current = undefined;
      const next = this.#pending;
      this.#pending = undefined;
      if (next !== undefined) next.resolve(this.#start(next.request));
    });
    this.#current = run;
    return run;
  }

  async #runAll(request: RefreshRequest): Promise<RunReport[]> {
    const reports: RunReport[] = [];
    const round = beginRound(request);
    for (const job of round.jobs) {
      if (this.#isStopped) break;
      reports.push(await this.#options.runJob(job, round, this.#abort.signal));
    }
    return reports;
  }
}

/** Returns one request that serves both. */
export function merge(one: RefreshRequest, other: RefreshRequest): RefreshRequest {
  const stronger = other.isManual && !one.isManual ? other : one;
  return {
    trigger: stronger.trigger,
    jobs: jobNames.filter((name) => one.jobs.includes(name) || other.jobs.includes(name)),
    isManual: one.isManual || other.isManual,
  };
}

/** Returns whether `work` ends in time. */
async function isDone(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  const timer = new AbortController();
  const timeout = sleep(withinMs, false, { signal: timer.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    timer.abort();
  }
}

function deferred(): Pick<Pending, 'done' | 'resolve'> {
  let resolve: Pending['resolve'] = () => undefined;
  const done = new Promise<RunReport[]>((settle) => {
    resolve = settle;
  });
  return { done, resolve };
}
