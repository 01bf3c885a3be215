import type { Database, Query, Transaction } from '../db/database.js';
import type { Progress } from '../progress.js';
import { hasStatisticsSchema, isSource, sources, type Source } from './installation.js';
import { rebuildIfInexact, withRetries } from './rebuild.js';

export interface ActivateOptions {
  readonly lockTimeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (message: string) => void;
  readonly onScan?: (progress: Progress) => void;
}

/**
 * Brings capture, rollups and views into use: triggers under short locks, then one scan a table
 * outside of any lock, then the swap of the views. Each step is a transaction of its own that looks
 * whether it is due, so it can be interrupted anywhere and run again. Gives what it did.
 */
export async function activate(database: Database, options: ActivateOptions): Promise<string[]> {
  if (!(await hasStatisticsSchema((text, values) => database.read(text, values)))) return [];
  const done: string[] = [];
  const transaction = { ...options, statementTimeoutMs: 0 };
  for (const source of await inexactSources((text, values) => database.read(text, values))) {
    options.onProgress(`rollups of ${source}: one scan, no lock on writers`);
    const { onScan, lockTimeoutMs, signal } = options;
    const didRebuild = await rebuildIfInexact(database, source, {
      statementTimeoutMs: 0,
      lockTimeoutMs,
      signal,
      ...(onScan === undefined ? {} : { onProgress: onScan }),
    });
    if (didRebuild) done.push(`rollups of ${source}`);
  }
  const [swapped] = await withRetries(options, () =>
    database.write(transaction, ({ query }) =>
      query<{ did: boolean }>('select registry_stats.swap_views() as did'),
    ),
  );
  if (swapped?.did === true) done.push('views over the rollups');
  return done;
}

/** All of it in the caller's transaction, which locks the tables: for a database made anew. */
export async function activateWithin({ query }: Transaction): Promise<void> {
  if (!(await hasStatisticsSchema(query))) return;
  for (const source of sources) {
    await query('select registry_stats.attach_capture($1), registry_stats.rebuild($1)', [source]);
  }
  await query('select registry_stats.swap_views()');
}

/** The tables whose rollups cannot be trusted, in the order in which they are rebuilt. */
export async function inexactSources(query: Query): Promise<readonly Source[]> {
  const rows = await query<{ name: string }>(
    `select name from registry_stats.source
    where not is_exact
      or fingerprint is distinct from registry_stats.fingerprint(name)`,
  );
  const names = new Set(rows.map(({ name }) => name).filter(isSource));
  return sources.filter((source) => names.has(source));
}

/** The same for operators who only have psql. */
export const activationScript = `-- Activation: triggers, one scan a table, views. Interrupted, it can be run again.

${sources
  .map(
    (source) => `begin;
set local lock_timeout = '5s';
select registry_stats.attach_capture('${source}');
commit;
`,
  )
  .join('\n')}
${sources
  .map(
    (source) => `begin isolation level repeatable read;
select registry_stats.rebuild('${source}');
commit;
`,
  )
  .join('\n')}
begin;
set local lock_timeout = '5s';
select registry_stats.swap_views();
commit;
`;
