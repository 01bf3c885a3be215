// What is known of the statistics, in the shapes that terminal, status port and page share. No imports:
// the page is compiled for a browser, where nothing of Node exists. Times are ISO 8601 in UTC.

/** All that is known at one moment: the body of `/api/status`. */
export interface Status extends DaemonState {
  readonly jobs: readonly JobStatus[];
  /** The daemon's own time, so that a browser whose clock is wrong shows right ages. */
  readonly answeredAt: string;
  readonly statistics: StatisticsState;
  readonly verdict: Verdict;
}

/** What a daemon knows of itself. `version` grows when a field changes its meaning or goes. */
export interface DaemonState {
  readonly version: 1;
  readonly pid: number;
  readonly startedAt: string;
  readonly isMaintenance: boolean;
  readonly isDatabaseDown: boolean;
  /** null until the jobs are scheduled. */
  readonly nextRun: string | null;
  readonly jobs: readonly JobHistory[];
}

/** One job as this daemon has seen it since its start. */
export interface JobHistory {
  readonly job: string;
  readonly subject: string;
  readonly isRunning: boolean;
  readonly lastRun: LastRun | null;
  /** End of the last run that refreshed or found everything fresh. */
  readonly lastSuccess: string | null;
  readonly consecutiveFailures: number;
}

export interface LastRun {
  readonly trigger: string;
  readonly outcome: string;
  readonly reason: string;
  /** The name of the reason where the run was skipped, else null. */
  readonly skipReason: string | null;
  readonly startedAt: string;
  readonly durationMs: number;
}

/** One job, from what a daemon has seen and what the database has on record, the newer of both. */
export interface JobStatus extends JobHistory {
  readonly state: 'fresh' | 'running' | 'failing' | 'held back' | 'not run yet' | 'stopped';
  readonly outcome: string | null;
  /** In words. */
  readonly reason: string;
  readonly skipReason: string | null;
  readonly lastCheck: string | null;
  readonly lastRefresh: string | null;
  readonly dataAsOf: string | null;
  /** null where the database does not count them. */
  readonly pendingChanges: number | null;
}

/** Whether all is well: what is fresh, or what is wrong and what to do. */
export interface Verdict {
  readonly level: 'good' | 'wait' | 'bad';
  /** Why `/ready` answers 503, in a few words; null where it answers 200. */
  readonly notReady: string | null;
  readonly sentence: string;
  /** What more there is to know or to do, a sentence each. */
  readonly details: readonly string[];
  /** The last check of the job that was checked longest ago. */
  readonly checkedAt: string | null;
}

/** What the database says of its statistics; `mode` is unknown where it did not answer in time. */
export interface StatisticsState {
  /** `plain`: the legacy state, before migration 101. */
  readonly mode: 'incremental' | 'plain' | 'unknown';
  /** Why the mode is unknown. */
  readonly problem: string | null;
  /** Committed changes that are not in the rollups yet, counted up to a million. */
  readonly pendingChanges: number | null;
  /** Tables, views and functions that keep figures from being exact. */
  readonly inexact: readonly Problem[];
  readonly jobs: readonly JobRecord[];
  /** The last verification on record that is not older than every rebuild; null where there is none. */
  readonly lastVerification: Verification | null;
}

export interface Problem {
  readonly name: string;
  readonly reason: string;
  /** Whether the next run repairs it. */
  readonly isRepairable: boolean;
}

/** A job as the database records it. Times are null where it never happened. */
export interface JobRecord {
  readonly job: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly lastCheck: string | null;
  readonly lastRefresh: string | null;
  /** The figures include everything committed before this time. */
  readonly dataAsOf: string | null;
  readonly consecutiveFailures: number;
  /** Changes of its tables that are not in the rollups yet. */
  readonly pendingChanges: number;
}

export interface Verification {
  readonly finishedAt: string;
  readonly differences: number;
}

export interface RunsPage {
  readonly version: 1;
  /** Whether the database keeps runs; in the state of migration 001 it does not. */
  readonly isRecorded: boolean;
  /** Newest first. */
  readonly runs: readonly RunRecord[];
  /** For `before`, to get the next older ones; null where there are none. */
  readonly olderThan: string | null;
}

export interface RunRecord {
  readonly id: string;
  readonly job: string;
  readonly trigger: string;
  readonly startedAt: string;
  /** These three are null while it runs. */
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  /** Deltas that the refreshed views show for the first time; null for the others. */
  readonly changes: number | null;
  readonly viewsRefreshed: readonly string[];
  readonly dataAsOf: string | null;
}

export interface Figures {
  readonly version: 1;
  readonly history: {
    /** Firsts of months, ascending; each series has one number a month. */
    readonly months: readonly string[];
    readonly byStorageOption: readonly Series[];
    readonly byInstitution: readonly Series[];
  };
  readonly counts: readonly CountFigure[];
  readonly deposits: {
    readonly byStorageOption: readonly DepositFigure[];
    readonly byInstitution: readonly DepositFigure[];
  };
}

export interface Series {
  readonly name: string;
  readonly bytes: readonly number[];
}

export interface CountFigure {
  readonly subject: string;
  /** State, event type or action; null for all of the subject. */
  readonly kind: string | null;
  readonly rows: number;
}

export interface DepositFigure {
  readonly name: string;
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
  /** In dollars; null where options of different prices are added up. */
  readonly monthlyCost: number | null;
}

/** The body of a refused request, or of one that the database could not serve. */
export interface ErrorBody {
  readonly error: string;
  readonly hint: string | null;
}
