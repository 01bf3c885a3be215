import type { AppError } from '../errors.js';
import type { Job, JobName } from '../jobs/job.js';
import type { RefreshRequest, RunReport, Trigger } from '../jobs/outcome.js';
import type { Comparison } from '../statistics/verify.js';

/** Every event of the daemon. The log, the status and the metrics are made from events. */
export type Event =
  | {
      readonly type: 'daemon-started';
      readonly pid: number;
      readonly statusUrl: string;
      readonly nextRun: Date;
    }
  /** The views still scan the tables. */
  | { readonly type: 'legacy-state' }
  | { readonly type: 'daemon-stopping'; readonly signal: string }
  | { readonly type: 'daemon-stopped' }
  | { readonly type: 'settings-reloaded'; readonly changed: readonly string[] }
  | { readonly type: 'settings-refused'; readonly error: unknown }
  | { readonly type: 'refresh-requested'; readonly request: RefreshRequest }
  | { readonly type: 'refresh-coalesced'; readonly trigger: Trigger }
  | { readonly type: 'run-started'; readonly job: Job; readonly trigger: Trigger }
  | {
      readonly type: 'run-retried';
      readonly job: JobName;
      readonly error: unknown;
      readonly retriesLeft: number;
    }
  | {
      readonly type: 'run-finished';
      readonly report: RunReport;
      readonly nextRun: Date | undefined;
    }
  | {
      readonly type: 'verified';
      readonly comparison: Comparison;
      readonly durationMs: number;
    }
  | { readonly type: 'verify-failed'; readonly error: unknown }
  /** The replica could not be used; the primary is not read instead. */
  | { readonly type: 'verify-missed'; readonly error: AppError }
  /** No verification for days; `since` is the last one, or the time of the first figures. */
  | { readonly type: 'verification-overdue'; readonly since: Date }
  | { readonly type: 'database-down'; readonly error: unknown }
  | { readonly type: 'database-up'; readonly downForMs: number }
  | { readonly type: 'notified'; readonly subject: string; readonly state: string }
  | {
      readonly type: 'notify-failed';
      readonly subject: string;
      readonly state: string;
      readonly reason: string;
    };

export type Observer = (event: Event) => void;

/** Delivers every event to all observers, in order. */
export interface Events {
  emit: Observer;
  observe(observer: Observer): void;
}

export function createEvents(): Events {
  const observers: Observer[] = [];
  return {
    emit: (event) => {
      for (const observer of observers) observer(event);
    },
    observe: (observer) => {
      observers.push(observer);
    },
  };
}
