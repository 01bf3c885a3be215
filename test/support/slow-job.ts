import { vi } from 'vitest';
import { untilWaitedFor } from './lock-waiter.js';
import type { TestDatabase } from './test-database.js';

const patience = { timeout: 45_000, interval: 25 };

/** Keeps a job at work for as long as a test needs it. */
export interface Gate {
  /** Resolves when the job waits at the gate, with the process id of its backend. */
  reached(): Promise<number>;
  /** Lets the job, and every later run, pass. */
  open(): Promise<void>;
}

/** The job's wait is a wait for a lock: give the program a LOCK_TIMEOUT above the test's time. */
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

/** A slow statement: the scheduled update_counts sleeps on the server. */
export async function slowUpdateCounts(target: TestDatabase): Promise<void> {
  await replaceUpdateCounts(target, 'perform pg_sleep(30);');
}

/** Only for the next run: a statement at work goes on with the body it began with. */
export async function fastUpdateCounts(target: TestDatabase): Promise<void> {
  await replaceUpdateCounts(target, '');
}

export async function replaceUpdateCounts(target: TestDatabase, body: string): Promise<void> {
  await target.query(
    `create or replace function public.update_counts() returns integer language plpgsql
    as $$ begin ${body} return 1; end $$`,
  );
}

/** How many backends of this database sleep in update_counts. */
export async function countSleeping(target: TestDatabase): Promise<number> {
  const rows = await target.query(
    `select from pg_stat_activity
    where datname = current_database()
      and state = 'active'
      and wait_event = 'PgSleep'`,
  );
  return rows.length;
}

/** Waits until a condition outside of the program holds. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean> | boolean,
): Promise<void> {
  await vi.waitFor(async () => {
    if (!(await holds())) throw new Error(`expected ${what}`);
  }, patience);
}
