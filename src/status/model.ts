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
  readonly installation: Installation;
  readonly isMaintenance: boolean;
  /** When this daemon first saw it; null outside of maintenance. */
  readonly maintenanceSince: string | null;
  readonly isDatabaseDown: boolean;
  readonly databaseDownSince: string | null;
  /** Why the database cannot be used, as first reported in this outage. */
  readonly databaseProblem: string | null;
  /** null until the jobs are scheduled. */
  readonly nextRun: string | null;
  /** null without VERIFY_SCHEDULE. */
  readonly nextVerification: string | null;
  readonly jobs: readonly JobHistory[];
}

/** Which daemon this is, and which database it serves. */
export interface Installation {
  readonly programVersion: string;
  /** APT_ENV. */
  readonly environment: string;
  readonly databaseName: string;
  readonly databaseHost: string;
}

/** One job as this daemon has seen it since its start. */
export interface JobHistory {
  readonly job: string;
  /** A short name for people. */
  readonly title: string;
  readonly subject: string;
  readonly isRunning: boolean;
  readonly lastRun: LastRun | null;
  /** End of the last run that refreshed or found everything fresh. */
  readonly lastSuccess: string | null;
  readonly consecutiveFailures: number;
  /** Start of the first of the consecutive failures. */
  readonly failingSince: string | null;
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
  readonly kind: VerdictKind;
  readonly level: 'good' | 'wait' | 'bad';
  /** Why `/ready` answers 503, in a few words; null where it answers 200. */
  readonly notReady: string | null;
  readonly sentence: string;
  /** What more there is to know or to do, a sentence each. */
  readonly details: readonly string[];
  /** The last check of the job that was checked longest ago. */
  readonly checkedAt: string | null;
  /** What happened, for a person who must act. Empty where all is well. */
  readonly facts: readonly Fact[];
  /** What to do, in this order. */
  readonly steps: readonly Step[];
}

export type VerdictKind =
  | 'fresh'
  | 'legacy state'
  | 'first run'
  | 'maintenance'
  | 'blocked'
  | 'failing'
  | 'held back'
  | 'drift'
  | 'untrusted'
  | 'database away';

export interface Fact {
  readonly term: string;
  readonly text: string;
}

export interface Step {
  readonly text: string;
  /** A command to copy, or null. */
  readonly command: string | null;
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
  /** The session that keeps a run from a lock. */
  readonly blocker: Blocker | null;
}

/** A session of somebody else. What the server does not show to our role is null. */
export interface Blocker {
  readonly pid: number;
  readonly user: string | null;
  readonly application: string | null;
  readonly address: string | null;
  readonly state: string | null;
  /** Begin of its transaction. */
  readonly since: string | null;
  /** Its last query, shortened. */
  readonly query: string | null;
  /** The table or view with the lock. */
  readonly lockOn: string | null;
  /** Since when a run waits for it; null where a run failed instead. */
  readonly waitingSince: string | null;
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
  readonly failingSince: string | null;
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

/** The body of a refused request, or of one that the database could not serve. */
export interface ErrorBody {
  readonly error: string;
  readonly hint: string | null;
}
