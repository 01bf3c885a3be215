import type { Database } from '../db/database.js';
import { isIncremental } from '../statistics/installation.js';
import type { Verification } from '../statistics/verify.js';

/** A job as the database records it. Times are null where it never happened. */
export interface JobRecord extends Record<string, unknown> {
  readonly name: string;
  readonly outcome: string | null;
  readonly reason: string | null;
  readonly lastCheck: Date | null;
  readonly lastRefresh: Date | null;
  /** Every transaction that was committed by then is in the figures. */
  readonly dataAsOf: Date | null;
  readonly consecutiveFailures: number;
}

/** What the incremental statistics say of themselves. */
export interface Overview {
  /** Changes that were committed and are not in the rollups yet, up to the limit of the read. */
  readonly pendingChanges: number;
  /** Tables and views whose figures are not exact, with the reason and what helps. */
  readonly inexact: readonly { readonly name: string; readonly reason: string }[];
  readonly jobs: readonly JobRecord[];
  /** The last one on record; null where there was none. */
  readonly lastVerification: Verification | null;
}

/** Pending changes are counted up to here: more is an alarm, not a figure. */
const pendingLimit = 1_000_000;

/** undefined where the database is in the state of migration 001. */
export async function readOverview(
  database: Pick<Database, 'read'>,
): Promise<Overview | undefined> {
  if (!(await isIncremental(database))) return undefined;
  const [pending] = await database.read<{ count: string }>(
    'select count(*) as count from (select from registry_stats.delta limit $1) as pending',
    [pendingLimit],
  );
  return {
    pendingChanges: Number(pending?.count),
    inexact: await database.read<{ name: string; reason: string }>(
      `select
        name,
        pg_catalog.min(reason)
          || case when pg_catalog.bool_and(is_repairable) then ': the next run puts it right' else '' end
          as reason
      from registry_stats.problems()
      group by name
      order by name`,
    ),
    jobs: await database.read<JobRecord>(
      `select
        name,
        outcome,
        reason,
        last_check as "lastCheck",
        last_refresh as "lastRefresh",
        data_as_of as "dataAsOf",
        consecutive_failures as "consecutiveFailures"
      from registry_stats.job
      order by pg_catalog.array_position(
        array[
          'update_counts',
          'update_current_deposit_stats',
          'populate_all_historical_deposit_stats'
        ],
        name
      )`,
    ),
    lastVerification: (await database.read<Verification>(selectLastVerification))[0] ?? null,
  };
}

const selectLastVerification = `
  select finished_at as "finishedAt", differences
  from registry_stats.verification
  order by id desc
  limit 1`;

export const legacyHint =
  'the statistics are in the state of migration 001: every refresh scans the tables in full; ' +
  '`registry-stats migrate` makes them incremental';
