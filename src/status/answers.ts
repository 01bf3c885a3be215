// The shapes of what is read of the statistics, as JSON: the status port answers them as they are, and
// the page shows them. No imports: the page is compiled for a browser, where nothing of Node exists.
// Times are ISO 8601 in UTC.

/** What the database says of its statistics; `mode` unknown where it did not answer in time. */
export interface StatisticsState {
  readonly mode: 'incremental' | 'plain' | 'unknown';
  /** Why the mode is unknown. */
  readonly problem: string | null;
  readonly pendingChanges: number | null;
  readonly inexact: readonly { readonly name: string; readonly reason: string }[];
  readonly jobs: readonly JobRecordAnswer[];
}

export interface JobRecordAnswer {
  readonly job: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly lastCheck: string | null;
  readonly lastRefresh: string | null;
  /** Every transaction that was committed by then is in the figures. */
  readonly dataAsOf: string | null;
  readonly consecutiveFailures: number;
  /** Changes of its tables that are not in the rollups yet. */
  readonly pendingChanges: number;
}

export interface RunsAnswer {
  readonly version: 1;
  /** Whether the database keeps runs; in the state of migration 001 it does not. */
  readonly isRecorded: boolean;
  /** Newest first. */
  readonly runs: readonly RunAnswer[];
  /** For `before`, to get the next older ones; null where there are none. */
  readonly olderThan: string | null;
}

export interface RunAnswer {
  readonly id: string;
  readonly job: string;
  readonly trigger: string;
  readonly startedAt: string;
  /** These three are null while it runs. */
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly rowsFolded: number | null;
  readonly viewsRefreshed: readonly string[];
  readonly dataAsOf: string | null;
}

export interface FiguresAnswer {
  readonly version: 1;
  readonly history: {
    /** Firsts of months, ascending; each series has one number a month. */
    readonly months: readonly string[];
    readonly byStorageOption: readonly Series[];
    readonly byInstitution: readonly Series[];
  };
  readonly counts: readonly CountAnswer[];
  readonly deposits: {
    readonly byStorageOption: readonly DepositAnswer[];
    readonly byInstitution: readonly DepositAnswer[];
  };
}

export interface Series {
  readonly name: string;
  readonly bytes: readonly number[];
}

export interface CountAnswer {
  readonly subject: string;
  /** State, event type or action; null for all of the subject. */
  readonly kind: string | null;
  readonly rows: number;
}

export interface DepositAnswer {
  readonly name: string;
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
  /** In dollars; null where options of different prices are added up. */
  readonly monthlyCost: number | null;
}
