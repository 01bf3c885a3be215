import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Pair } from './pair.js';
import { connect } from './server.js';

/** The most that work used at once, in bytes. */
export interface Usage {
  /** Temporary files, and files of temporary tables. */
  readonly temporary: number;
  /** Memory of the server processes of the database, without shared memory. */
  readonly memory: number;
}

const sampleEveryMs = 200;

/** Runs `work` and returns what it used. The server must run on this machine, or memory is 0. */
export async function measureUsage(
  { address, incremental }: Pair,
  work: () => Promise<void>,
): Promise<Usage> {
  const client = await connect(address, incremental.name);
  try {
    const working = { isDone: false };
    const [, most] = await Promise.all([
      work().finally(() => (working.isDone = true)),
      sample(client, working),
    ]);
    return most;
  } finally {
    await client.end();
  }
}

async function sample(client: pg.Client, working: { readonly isDone: boolean }): Promise<Usage> {
  let most: Usage = { temporary: 0, memory: 0 };
  while (!working.isDone) {
    const { rows } = await client.query<{ bytes: string; pids: number[] }>(usedNow);
    const sizes = await Promise.all((rows[0]?.pids ?? []).map(readMemory));
    const memory = sizes.reduce((sum, size) => sum + size, 0);
    most = {
      temporary: Math.max(most.temporary, Number(rows[0]?.bytes)),
      memory: Math.max(most.memory, memory),
    };
    await delay(sampleEveryMs);
  }
  return most;
}

/** Returns the private memory of a process in bytes; 0 if it has ended, or runs elsewhere. */
async function readMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  if (!/^Name:\s+postgres/m.test(status)) return 0;
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Files of temporary tables are named t<session>_<number>. Another session cannot see the tables. */
const usedNow = `
  select
    (select coalesce(sum(size), 0) from pg_ls_tmpdir())
    + (
      select coalesce(sum((pg_stat_file(folder.path || '/' || file.name, true)).size), 0)
      from (
        select 'base/' || oid as path from pg_database where datname = current_database()
      ) as folder
      cross join lateral pg_ls_dir(folder.path) as file (name)
      where file.name like 't%'
    ) as bytes,
    array(
      select pid
      from pg_stat_activity
      where datname = current_database()
        and state = 'active'
        and pid <> pg_backend_pid()
    ) as pids`;
