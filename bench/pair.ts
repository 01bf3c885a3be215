import type pg from 'pg';
import type { Database } from '../src/db/database.js';
import { migrate } from '../src/migrations/migrate.js';
import { readSqlFiles, type SqlFiles } from '../src/migrations/sql-files.js';
import { generateSampleData } from '../src/reset/sample-data.js';
import { administer, connect, openPool, type Address } from './server.js';

/** One database, as its callers and as the daemon reach it. */
export interface Side {
  readonly name: string;
  readonly client: pg.Client;
  readonly pool: Database;
}

/** The same data twice: in the state of migration 001, and incremental. */
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

export async function createPair(address: Address, files: number, events: number): Promise<Pair> {
  const names = [`bench_${files}_baseline`, `bench_${files}_incremental`] as const;
  for (const name of names) {
    await administer(address, `drop database if exists ${name} with (force)`);
  }
  const [baselineName, incrementalName] = names;
  await administer(address, `create database ${baselineName}`);
  await fill(address, baselineName, files, events);
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

async function fill(address: Address, name: string, files: number, events: number) {
  const database = openPool(address, name);
  try {
    await migrate(database, { ...options, files: plainFiles(await readSqlFiles()) });
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
  // Hint bits and visibility are settled now, not in the first measurement.
  await client.query('vacuum (analyze)');
  for (const view of views) await client.query(`refresh materialized view public.${view}`);
  await client.end();
}

/** The state of a live database before the incremental statistics. */
function plainFiles(files: SqlFiles): SqlFiles {
  return { ...files, migrations: files.migrations.slice(0, 1), functions: [] };
}

export const countViews = [
  'premis_event_counts',
  'intellectual_object_counts',
  'generic_file_counts',
  'work_item_counts',
] as const;

export const views = [...countViews, 'current_deposit_stats'] as const;

async function open(address: Address, name: string): Promise<Side> {
  return { name, client: await connect(address, name), pool: openPool(address, name) };
}
