import type { StatisticsState } from '../status/answers.js';

// The shapes of what the status port answers, shared with the page that shows it, which is compiled
// for a browser, where nothing of Node exists. Times are ISO 8601 in UTC.

export interface StatusAnswer {
  readonly version: number;
  readonly pid: number;
  readonly startedAt: string;
  readonly isMaintenance: boolean;
  readonly isDatabaseDown: boolean;
  readonly nextRun: string | null;
  readonly jobs: readonly JobAnswer[];
  /** The daemon's own time, so that a browser whose clock is wrong shows right ages. */
  readonly answeredAt: string;
  readonly statistics: StatisticsState;
}

export interface JobAnswer {
  readonly job: string;
  readonly subject: string;
  readonly isRunning: boolean;
  readonly lastRun: {
    readonly trigger: string;
    readonly outcome: string;
    readonly reason: string;
    readonly skipReason: string | null;
    readonly startedAt: string;
    readonly durationMs: number;
  } | null;
  readonly lastSuccess: string | null;
  readonly consecutiveFailures: number;
}

export interface ErrorAnswer {
  readonly error: string;
  readonly hint: string | null;
}
