import type { Query } from '../db/transaction.js';
import { launchTables, statisticsTables } from '../jobs/registry-objects.js';

/**
 * Returns what `reset` would drop, in words; undefined if the database has no table of Registry.
 * `wasRunning`: whether another process used the embedded server already.
 */
export async function describeResetLoss(
  query: Query,
  { database, wasRunning }: { readonly database: string; readonly wasRunning: boolean },
): Promise<string | undefined> {
  const [found] = await query<{ tables: number; size: string; isUsed: boolean }>(
    `select
      pg_catalog.count(*)::int as tables,
      pg_catalog.pg_size_pretty(pg_catalog.sum(pg_catalog.pg_total_relation_size(oid))) as size,
      exists (
        select
        from pg_catalog.pg_stat_activity
        where datname = pg_catalog.current_database()
          and application_name = 'registry-stats'
          and pid <> pg_catalog.pg_backend_pid()
      ) as "isUsed"
    from pg_catalog.pg_class
    where relnamespace = pg_catalog.to_regnamespace('public')
      and relname = any ($1)
      and relkind in ('r', 'p')`,
    [[...launchTables, ...statisticsTables]],
  );
  if (found === undefined || found.tables === 0) return undefined;
  const { tables, size, isUsed } = found;
  const loss = `reset drops ${tables} tables of Registry with all rows (${size}), and all statistics, in ${database}.`;
  if (!isUsed && !wasRunning) return loss;
  return `${loss}\nAnother process uses this database now, such as a running daemon: its next run may fail.`;
}
