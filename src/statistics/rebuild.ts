import pRetry from 'p-retry';
import type { Database } from '../db/database.js';
import type { Query, TransactionOptions } from '../db/transaction.js';
import { errorCodeOf, isConflict, sqlstate } from '../db/sqlstate.js';
import { progressNotices, type Progress } from '../progress.js';

interface RebuildOptions extends TransactionOptions {
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Computes the rollups of one table again, in one snapshot, without blocking its writers. First
 * attaches missing triggers. Returns the number of rows scanned. Leaves nothing behind when
 * killed. Waits for a running refresh or rebuild.
 */
export async function rebuildSource(
  database: Database,
  source: string,
  options: RebuildOptions,
): Promise<number> {
  await attachCapture(database, source, options);
  const [row] = await scan(database, source, options, 'select registry_stats.rebuild($1) as rows');
  return Number(row?.rows);
}

/** Returns the untrusted tables that can be rebuilt, in order. */
export async function repairableSources(query: Query): Promise<readonly string[]> {
  const rows = await query<{ name: string }>(
    `select found.name
    from registry_stats.fingerprints() as found
    where not (found.is_trusted and registry_stats.is_attached(found.name))
      and registry_stats.obstacle(found.name) is null
    order by found.name`,
  );
  return rows.map(({ name }) => name);
}

const changedMeanwhile: ReadonlySet<string> = new Set([
  sqlstate.objectNotInPrerequisiteState,
  sqlstate.undefinedTable,
  sqlstate.undefinedColumn,
]);

/**
 * Rebuilds like `rebuildSource`, unless another session did it already. Returns whether it did. If
 * the owner detaches or changes the table meanwhile, it stays untrusted until the next run.
 */
export async function rebuildIfInexact(
  database: Database,
  source: string,
  options: RebuildOptions,
): Promise<boolean> {
  await attachCapture(database, source, options);
  try {
    const rows = await scan(
      database,
      source,
      options,
      `select registry_stats.rebuild(found.name) as rows
      from registry_stats.fingerprints(array[$1]) as found
      where not found.is_trusted
        and registry_stats.obstacle(found.name) is null`,
    );
    return rows.length > 0;
  } catch (error) {
    if (changedMeanwhile.has(errorCodeOf(error) ?? '')) return false;
    throw error;
  }
}

async function attachCapture(
  database: Database,
  source: string,
  options: RebuildOptions,
): Promise<void> {
  await withRetries(options, () =>
    database.write(options, ({ query }) =>
      query('select registry_stats.attach_capture($1)', [source]),
    ),
  );
}

function scan(
  database: Database,
  source: string,
  options: RebuildOptions,
  statement: string,
): Promise<{ rows: string }[]> {
  const onNotice = progressNotices((progress) => options.onProgress?.(progress));
  return withRetries(options, () =>
    database.write(
      { ...options, statementTimeoutMs: 0, isolation: 'repeatable read', onNotice },
      ({ query }) => query<{ rows: string }>(statement, [source]),
    ),
  );
}

/** Retries after a lock conflict, or a commit between snapshot and lock. */
export function withRetries<Result>(
  { signal }: Pick<TransactionOptions, 'signal'>,
  attempt: () => Promise<Result>,
): Promise<Result> {
  return pRetry(attempt, {
    retries: 60,
    minTimeout: 200,
    maxTimeout: 5_000,
    randomize: true,
    ...(signal === undefined ? {} : { signal }),
    shouldRetry: ({ error }) => isConflict(error),
  });
}
