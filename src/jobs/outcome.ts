import { describeFailure } from '../db/sqlstate.js';
import { titleOf, type JobName } from './job.js';

/** Why a run was skipped. */
export const skipReasons = {
  unchanged: 'nothing changed since the last refresh',
  complete: 'no month is missing',
  busy: 'running elsewhere',
  declined:
    'Registry’s own function did nothing: the figures are young, or it is marked as running',
  inexact: 'a table or a view must be repaired first',
  maintenance: 'MAINTENANCE_MODE is true',
  'database-down': 'the database does not respond, or takes no writes',
} as const;

export type SkipReason = keyof typeof skipReasons;

/** Skips with current figures: there was nothing to do, or another session does it. */
export const goodSkips: ReadonlySet<string | null> = new Set<SkipReason>([
  'unchanged',
  'complete',
  'busy',
  'declined',
]);

export function isSkipReason(text: string): text is SkipReason {
  return Object.hasOwn(skipReasons, text);
}

export const legacyHint =
  'the statistics are in the state of migration 001: every refresh scans the tables in full; ' +
  '`registry-stats migrate` makes them incremental';

/** How a run ended. */
export type Outcome =
  | {
      readonly outcome: 'refreshed';
      readonly detail: string;
      /** Deltas added to the rollups; only with incremental statistics. */
      readonly changesFolded?: number;
      /** Deltas that the refreshed views show for the first time, whichever run folded them. */
      readonly changes?: number;
    }
  | { readonly outcome: 'skipped'; readonly reason: SkipReason; readonly detail?: string }
  | FailedOutcome
  | { readonly outcome: 'cancelled'; readonly reason: string };

export interface FailedOutcome {
  readonly outcome: 'failed';
  readonly error: unknown;
}

export type Trigger = 'start' | 'schedule' | 'signal' | 'command' | 'recovery';

/** The jobs to run, and why. */
export interface RefreshRequest {
  readonly trigger: Trigger;
  readonly jobs: readonly JobName[];
  /** Whether a person requested it. */
  readonly isManual: boolean;
}

/** A request while its jobs run, one after the other. */
export interface Round extends RefreshRequest {
  /** The jobs that a check in this round found without work. */
  readonly idle: Set<JobName>;
}

export function beginRound(request: RefreshRequest): Round {
  return { ...request, idle: new Set() };
}

/** One finished run of one job. */
export interface RunReport {
  readonly job: JobName;
  readonly trigger: Trigger;
  readonly result: Outcome;
  readonly startedAt: Date;
  readonly durationMs: number;
}

/** Describes the outcome in a few words, for people. */
export function describeOutcome(result: Outcome): string {
  switch (result.outcome) {
    case 'refreshed':
      return result.detail;
    case 'skipped':
      return result.detail ?? skipReasons[result.reason];
    case 'failed':
      return describeFailure(result.error);
    case 'cancelled':
      return result.reason;
  }
}

/** How a run ended, as this process saw it or as it is on record. */
interface End {
  readonly outcome: string | null;
  /** In words; empty if there is nothing to add. */
  readonly reason: string;
  readonly skipReason: string | null;
}

/** Describes an end for people: "refreshed (1,552 changes)", "unchanged", "failed: disk full". */
export function describeEnd({ outcome, reason, skipReason }: End): string {
  if (outcome === null) return 'not run yet';
  if (skipReason === 'unchanged' || skipReason === 'complete') return skipReason;
  if (reason === '') return outcome;
  return outcome === 'refreshed' ? `refreshed (${reason})` : `${outcome}: ${reason}`;
}

/** Describes a run for people: "current deposits refreshed (1,552 changes) in 14 ms". */
export function describeRun({ job, result, durationMs }: RunReport): string {
  const skipReason = result.outcome === 'skipped' ? result.reason : null;
  const end = { outcome: result.outcome, reason: describeOutcome(result), skipReason };
  const text = `${titleOf(job).toLowerCase()} ${describeEnd(end)}`;
  return result.outcome === 'refreshed' ? `${text} in ${describeDuration(durationMs)}` : text;
}

function describeDuration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
