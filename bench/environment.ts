import { cpus, loadavg, totalmem } from 'node:os';
import type { Pair } from './pair.js';

/** The machine and server of a measurement. */
export interface Environment {
  readonly date: string;
  readonly postgres: string;
  readonly node: string;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly loadAverage: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly rows: readonly { readonly files: number; readonly events: number }[];
}

const settingNames = [
  'shared_buffers',
  'work_mem',
  'fsync',
  'synchronous_commit',
  'max_parallel_workers_per_gather',
  'jit',
];

export async function describeEnvironment(pairs: readonly Pair[]): Promise<Environment> {
  const [pair] = pairs;
  if (pair === undefined) throw new Error('no databases');
  const { client } = pair.incremental;
  const { rows: versions } = await client.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  const { rows: settings } = await client.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings where name = any ($1)`,
    [settingNames],
  );
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    postgres: versions[0]?.version ?? '',
    node: process.version,
    cpu: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadAverage: loadavg()[0] ?? NaN,
    settings: Object.fromEntries(settings.map(({ name, value }) => [name, value])),
    rows: pairs.map(({ files, events }) => ({ files, events })),
  };
}
