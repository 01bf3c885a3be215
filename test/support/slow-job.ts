import { vi } from 'vitest';
import { untilWaitedFor } from './lock-waiter.js';
import type { TestDatabase } from './test-database.js';

const patience = { timeout: 45_000, interval: 25 };

/** Holds a job as long as a test needs it. */
interface Gate {
  /** Resolves to the pid of the job's backend when it waits at the gate. */
  reached(): Promise<number>;
  /** Releases the job and every later run. */
  open(): Promise<void>;
}

/** Makes update_counts wait for a lock. LOCK_TIMEOUT must be longer than the test. */
export async function gateUpdateCounts(target: TestDatabase): Promise<Gate> {
  const keeper = await target.session();
  await keeper.query('select pg_advisory_lock(7)');
  await replaceUpdateCounts(target, 'perform pg_advisory_xact_lock(7);');
  return {
    reached: () => untilWaitedFor(target, [0, 7], 'a job at the gate'),
    open: async () => {
      await keeper.query('select pg_advisory_unlock(7)');
    },
  };
}

/** Makes the scheduled update_counts sleep on the server. */
export async function slowUpdateCounts(target: TestDatabase): Promise<void> {
  await replaceUpdateCounts(target, 'perform pg_sleep(30);');
}

/** Affects only the next run: a running statement keeps its body. */
export async function fastUpdateCounts(target: TestDatabase): Promise<void> {
  await replaceUpdateCounts(target, '');
}

export async function replaceUpdateCounts(target: TestDatabase, body: string): Promise<void> {
  await target.query(
    `create or replace function public.update_counts() returns integer language plpgsql
    as $$ begin ${body} return 1; end $$`,
  );
}

/** Counts the backends of this database that sleep in update_counts. */
export async function countSleeping(target: TestDatabase): Promise<number> {
  const rows = await target.query(
    `select from pg_stat_activity
    where datname = current_database()
      and state = 'active'
      and wait_event = 'PgSleep'`,
  );
  return rows.length;
}

/** Waits until a condition outside of the program is true. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  await vi.waitFor(async () => {
    if (!(await holds())) throw new Error(`expected ${what}`);
  }, patience);
}
