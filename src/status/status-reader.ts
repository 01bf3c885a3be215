import type { Database } from '../db/database.js';
import { describeFailure } from '../db/sqlstate.js';
import { BoundedReader } from './bounded-reader.js';
import type { DaemonState, StatisticsState, Status } from './model.js';
import { readStatistics, unknownStatistics } from './read-statistics.js';
import { toStatus } from './status.js';

/** The status for all who ask on the status port: `/api/status`, `/ready` and `/metrics`. */
export interface StatusReader {
  /** Never fails: a database that is away is a state to be shown. */
  read(): Promise<Status>;
  readonly isDatabaseDown: () => boolean;
}

/** Reads the database at most once a second, and waits 2 s for it at most. */
export function createStatusReader(
  context: { readonly database: Pick<Database, 'readSnapshot'> },
  daemon: () => DaemonState,
): StatusReader {
  const isDatabaseDown = (): boolean => daemon().isDatabaseDown;
  // `health --ready` waits 3 s, Prometheus 10 s.
  const reader = new BoundedReader(context.database, { timeoutMs: 2_000, isDatabaseDown });
  const statistics = (): Promise<StatisticsState> =>
    reader
      .read('statistics', 1_000, readStatistics)
      .catch((error: unknown) => unknownStatistics(describeFailure(error)));
  return {
    read: async () => {
      const found = await statistics();
      return toStatus(daemon(), found);
    },
    isDatabaseDown,
  };
}
