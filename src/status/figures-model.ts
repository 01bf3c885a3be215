// The figures that status port and page share: the body of `/api/statistics`. No imports, as in model.ts.

export interface Figures {
  readonly version: 1;
  /** The months that growth counts from. */
  readonly growthSince: GrowthSince;
  readonly history: {
    /** Firsts of months, ascending; each series has one number a month. */
    readonly months: readonly string[];
    readonly total: MonthlyTotals;
    readonly byStorageOption: readonly Series[];
    readonly byInstitution: readonly Series[];
  };
  readonly counts: readonly CountFigure[];
  readonly deposits: {
    /** The view's own total; null while nothing is stored. */
    readonly total: DepositTotal | null;
    readonly byStorageOption: readonly DepositFigure[];
    readonly byInstitution: readonly DepositFigure[];
  };
}

/**
 * The firsts of months nearest to one month and to twelve months ago; null where the history does
 * not go back so far. The history has no other times.
 */
export interface GrowthSince {
  readonly month: string | null;
  readonly year: string | null;
}

/** One number a month. A cost is null where an option had no price. */
export interface MonthlyTotals {
  readonly objects: readonly number[];
  readonly files: readonly number[];
  readonly bytes: readonly number[];
  readonly monthlyCost: readonly (number | null)[];
}

export interface Series {
  readonly name: string;
  readonly bytes: readonly number[];
  /** Current bytes. */
  readonly now: number;
}

export interface CountFigure {
  readonly subject: string;
  /** State, event type or action; null for all of the subject. */
  readonly kind: string | null;
  readonly rows: number;
}

export interface DepositTotal {
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
  /** In dollars at list prices; null where an option has no price. */
  readonly monthlyCost: number | null;
}

export interface DepositFigure extends DepositTotal {
  readonly name: string;
  /** Dollars a month for a gigabyte; null for an institution, whose options have several prices. */
  readonly pricePerGb: number | null;
  /** Bytes on the last 13 of `months`, or on all if there are fewer. */
  readonly recentBytes: readonly number[];
  /** Bytes added since `growthSince.year`; null without that month. */
  readonly yearGrowth: number | null;
}
