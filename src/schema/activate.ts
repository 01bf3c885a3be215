import type { Database } from '../db/database.js';
import type { Query, Transaction } from '../db/transaction.js';
import type { Progress } from '../progress.js';
import { hasStatisticsSchema, readSources } from '../statistics/installation.js';
import { rebuildIfInexact, repairableSources } from '../statistics/rebuild.js';
import { swapViews } from '../statistics/swap-views.js';

interface ActivateOptions {
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  readonly onScan?: (progress: Progress) => void;
}

/**
 * Brings capture, rollups and views into use: triggers under short locks, then one scan a table
 * outside of any lock, then the swap of the views. Each step is a transaction of its own that looks
 * whether it is due, so it can be interrupted anywhere and run again. Returns what it did.
 */
export async function activate(database: Database, options: ActivateOptions): Promise<string[]> {
  const query: Query = (text, values) => database.read(text, values);
  if (!(await hasStatisticsSchema(query))) return [];
  const done: string[] = [];
  for (const source of await repairableSources(query)) {
    options.onProgress(`counting ${source} in one scan; writers do not wait`);
    const { onScan, lockTimeoutMs, signal } = options;
    const didRebuild = await rebuildIfInexact(database, source, {
      statementTimeoutMs: 0,
      lockTimeoutMs,
      signal,
      ...(onScan === undefined ? {} : { onProgress: onScan }),
    });
    if (didRebuild) done.push(`rollups of ${source}`);
  }
  if (await swapViews(database, options)) done.push('views over the rollups');
  return done;
}

/** All of it in the caller's transaction, which locks the tables: for a database created again. */
export async function activateWithin({ query }: Transaction): Promise<void> {
  if (!(await hasStatisticsSchema(query))) return;
  for (const source of await readSources(query)) {
    await query('select registry_stats.attach_capture($1)', [source]);
    await query('select registry_stats.rebuild($1)', [source]);
  }
  await query('select registry_stats.swap_views()');
}
