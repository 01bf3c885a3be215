import type pg from 'pg';
import type { Database } from '../src/db/database.js';
import { migrate } from '../src/schema/migrate.js';
import { readSqlFiles, type SqlFiles } from '../src/schema/sql-files.js';
import { generateSampleData } from '../src/dev/sample-data.js';
import { administer, connect, openPool, type Address } from './server.js';

/** One database, for Registry's callers and for the daemon. */
export interface Side {
  readonly name: string;
  readonly client: pg.Client;
  readonly pool: Database;
}

/** The same data twice: in the legacy state, and incremental. */
export interface Pair {
  readonly files: number;
  readonly events: number;
  readonly baseline: Side;
  readonly incremental: Side;
  readonly address: Address;
  readonly close: (drop: boolean) => Promise<void>;
}

const options = {
  allowLaunchSchema: true,
  lockTimeoutMs: 5_000,
  signal: new AbortController().signal,
  onProgress: () => undefined,
};

/** Creates both databases. `reuse` keeps the baseline of an earlier run; the copy is always new. */
export async function createPair(
  address: Address,
  { files, events, reuse }: { files: number; events: number; reuse: boolean },
): Promise<Pair> {
  const baselineName = `bench_${files}_baseline`;
  const incrementalName = `bench_${files}_incremental`;
  await administer(address, `drop database if exists ${incrementalName} with (force)`);
  if (!(reuse && (await isFilled(address, baselineName)))) {
    await administer(address, `drop database if exists ${baselineName} with (force)`);
    await administer(address, `create database ${baselineName}`);
    await fill(address, baselineName, files, events);
  }
  await administer(
    address,
    `create database ${incrementalName} template ${baselineName} strategy file_copy`,
  );
  const baseline = await open(address, baselineName);
  const incremental = await open(address, incrementalName);
  await migrate(incremental.pool, { ...options, files: await readSqlFiles() });
  await administer(address, 'checkpoint');
  const close = async (drop: boolean) => {
    for (const { client, pool, name } of [baseline, incremental]) {
      await client.end();
      await pool.close();
      if (drop) await administer(address, `drop database ${name} with (force)`);
    }
  };
  return { files, events, baseline, incremental, address, close };
}

/** The views are refreshed last, so they show a complete database. */
async function isFilled(address: Address, name: string): Promise<boolean> {
  const admin = await connect(address, 'postgres');
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [name]);
  await admin.end();
  if (rowCount === 0) return false;
  const client = await connect(address, name);
  const { rows } = await client.query<{ name: string }>(
    `select matviewname as name from pg_matviews where matviewname = 'current_deposit_stats'`,
  );
  const shown =
    rows.length > 0 &&
    (await client.query('select from public.current_deposit_stats where institution_id = 3'));
  await client.end();
  return shown !== false && (shown.rowCount ?? 0) > 0;
}

async function fill(address: Address, name: string, files: number, events: number) {
  const database = openPool(address, name);
  try {
    await migrate(database, { ...options, files: legacyFiles(await readSqlFiles()) });
    await database.write({ statementTimeoutMs: 0, lockTimeoutMs: 0 }, async (transaction) => {
      await transaction.query(`select set_config('registry_stats.sample_events', $1, true)`, [
        String(events),
      ]);
      await generateSampleData(transaction, files);
    });
  } finally {
    await database.close();
  }
  const client = await connect(address, name);
  // Sets hint bits and visibility now, not in the first measurement.
  await client.query('vacuum (analyze)');
  for (const view of views) await client.query(`refresh materialized view public.${view}`);
  await client.end();
}

/** Returns the files for the legacy state. */
function legacyFiles(files: SqlFiles): SqlFiles {
  return { ...files, migrations: files.migrations.slice(0, 1), functions: [] };
}

const countViews = [
  'premis_event_counts',
  'intellectual_object_counts',
  'generic_file_counts',
  'work_item_counts',
] as const;

export const views = [...countViews, 'current_deposit_stats'] as const;

async function open(address: Address, name: string): Promise<Side> {
  return { name, client: await connect(address, name), pool: openPool(address, name) };
}
