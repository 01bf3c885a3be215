import type { Database } from '../db/database.js';
import type { Query, TransactionOptions } from '../db/transaction.js';
import { isReadOnly } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import type { Progress } from '../progress.js';
import { isIncremental, readSources } from './installation.js';

/** One figure that is not what the rows say. */
interface Difference extends Record<string, string | null> {
  readonly source: string;
  readonly view: string;
  readonly key: string;
  readonly expected: string | null;
  readonly found: string | null;
}

/** The most differences to list. The count has no limit. */
const listedAtMost = 1_000;

/** What a comparison found: how many figures differ, the first of them, and in which tables. */
export interface Comparison {
  readonly count: number;
  readonly differences: readonly Difference[];
  /** In the order in which they are rebuilt. */
  readonly sources: readonly string[];
  /** The replica that was read; undefined: the primary. */
  readonly replica?: ReplicaRead;
}

export interface ReplicaRead {
  /** Host and port. */
  readonly server: string;
  /** The wait until the replica had everything that the primary had at the begin. */
  readonly lagMs: number;
}

export interface VerifyOptions extends Pick<TransactionOptions, 'signal'> {
  /** Told before each table is compared, with the blocks of those before it. */
  readonly onProgress?: (progress: Progress) => void;
  /** Runs first in the snapshot. Throws if this server must not be read. */
  readonly checkServer?: (query: Query) => Promise<void>;
}

/**
 * Compares the statistics with the rows themselves, in one snapshot of all tables: rollups plus what
 * is pending, totals, and the views that are not due. Writes nothing and locks out nobody; a read
 * replica will do.
 * @throws AppError DATABASE_NOT_MIGRATED where there are no incremental statistics to verify
 */
export async function verify(
  database: Database,
  { signal, onProgress, checkServer }: VerifyOptions = {},
): Promise<Comparison> {
  await expectIncremental(database);
  const options = { statementTimeoutMs: 0, lockTimeoutMs: 5_000, ...(signal && { signal }) };
  return database.readSnapshot(options, async ({ query }) => {
    await checkServer?.(query);
    const differences: Difference[] = [];
    const wrong = new Set<string>();
    let count = 0;
    const sources = await readSources(query);
    const blocks = await blocksBySource(query, sources);
    const total = [...blocks.values()].reduce((sum, count) => sum + count, 0);
    let done = 0;
    for (const source of sources) {
      onProgress?.({ subject: source, done, total, unit: 'blocks' });
      // Counted there, listed here: memory does not grow with what is wrong.
      const rows = await query<Difference & { total: string }>(
        `select view, key, expected, found, count(*) over () as total
        from registry_stats.differences($1)
        limit $2`,
        [source, listedAtMost],
      );
      count += Number(rows[0]?.total ?? 0);
      const room = listedAtMost - differences.length;
      for (const { view, key, expected, found } of rows.slice(0, room)) {
        differences.push({ source, view, key, expected, found });
      }
      if (rows.length > 0) wrong.add(source);
      done += blocks.get(source) ?? 0;
    }
    return { count, differences, sources: [...wrong] };
  });
}

/** @throws AppError DATABASE_NOT_MIGRATED */
export async function expectIncremental(database: Database): Promise<void> {
  if (await isIncremental(database)) return;
  throw new AppError(
    'DATABASE_NOT_MIGRATED',
    'expected incremental statistics to verify, found views that scan the tables',
    { hint: 'run `registry-stats migrate`' },
  );
}

/** How large the tables are, with their partitions. */
async function blocksBySource(
  query: Query,
  sources: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await query<{ source: string; blocks: string }>(
    `select
      source,
      (
        select pg_catalog.sum(pg_catalog.pg_relation_size(relid))
        from (
          select pg_catalog.to_regclass('public.' || source) as relid
          union
          select relid from pg_catalog.pg_partition_tree(pg_catalog.to_regclass('public.' || source))
        ) as part
      ) / pg_catalog.current_setting('block_size')::int as blocks
    from pg_catalog.unnest($1::text[]) as source`,
    [sources],
  );
  return new Map(rows.map(({ source, blocks }) => [source, Number(blocks)]));
}

/**
 * Records a comparison, which is valid without its record. Reports why it could not be recorded, since
 * an alert expects one, except on a replica or in MAINTENANCE_MODE.
 */
export async function recordVerification(
  database: Pick<Database, 'write'>,
  count: number,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const options = { statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 };
  await database
    .write(options, ({ query }) =>
      query('select registry_stats.record_verification($1)', [Math.min(count, 2_147_483_647)]),
    )
    .catch((error: unknown) => {
      if (!isReadOnly(error) && !isMaintenance(error)) onFailure(error);
    });
}

function isMaintenance(error: unknown): boolean {
  return error instanceof AppError && error.code === 'MAINTENANCE_MODE';
}
