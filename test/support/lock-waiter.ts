import { vi } from 'vitest';
import type { TestDatabase } from './test-database.js';

const patience = { timeout: 45_000, interval: 25 };

/** Waits until a backend waits for this advisory lock; returns its pid. */
export function untilWaitedFor(
  { query }: Pick<TestDatabase, 'query'>,
  [classid, objid]: readonly [classid: number, objid: number],
  what: string,
): Promise<number> {
  return vi.waitFor(async () => {
    const [waiting] = await query<{ pid: number }>(
      `select pid from pg_locks
      where locktype = 'advisory'
        and classid = $1
        and objid = $2
        and not granted
        and database = (select oid from pg_database where datname = current_database())`,
      [classid, objid],
    );
    if (waiting === undefined) throw new Error(`expected ${what}`);
    return waiting.pid;
  }, patience);
}
