import { untilWaitedFor } from '../../support/lock-waiter.js';
import type { TestDatabase } from '../../support/test-database.js';

/** A moment in the work of the daemon or a command, at which a test can hold it. */
export interface Step {
  readonly name: string;
  /** SQL, for the test's database only, that calls faults.wait() at that moment. */
  readonly arrange: string;
  /** Before the begin of the run is committed. */
  readonly isUnrecorded?: true;
}

/** The daemon, or a command, held at a step. */
export interface Halt {
  /** Resolves when somebody waits there, with the process id of the backend. */
  reached(): Promise<number>;
  /** Lets whoever waits, and everybody later, pass. */
  open(): Promise<void>;
}

/** The steps of a run of all jobs, in their order. */
export const runSteps: readonly Step[] = [
  {
    name: 'while it is recorded',
    arrange: before('insert on registry_stats.run'),
    isUnrecorded: true,
  },
  {
    name: 'before its work',
    arrange: `
      create or replace function registry_stats.try_lock() returns boolean
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin perform faults.wait(); return pg_try_advisory_xact_lock(1919247220, 102); end $$;`,
  },
  {
    name: 'in a rebuild',
    arrange: `
      alter table public.generic_files disable trigger registry_stats_insert;
      alter table public.generic_files enable trigger registry_stats_insert;
      ${before('insert on registry_stats.deposit_rollup')}`,
  },
  { name: 'in the fold', arrange: before('insert on registry_stats.deposit_total') },
  { name: 'between two views', arrange: afterCommand('REFRESH MATERIALIZED VIEW') },
  // Not where another end is recorded, after the fault.
  {
    name: 'before its commit',
    arrange: `
      create trigger halt before update on registry_stats.job
      for each row when (new.outcome = 'refreshed') execute function faults.halt();`,
  },
  {
    name: 'in its commit',
    arrange: `
      create constraint trigger halt after update on registry_stats.run
      initially deferred
      for each row when (new.outcome = 'refreshed') execute function faults.halt();`,
  },
  { name: 'in the history', arrange: before('insert on public.historical_deposit_stats') },
];

/** A statement trigger before an event on a table. */
function before(event: string): string {
  return `create trigger halt before ${event} for each statement execute function faults.halt();`;
}

/**
 * After a DDL command on an object, given as a regular expression for its identity; where there is
 * a condition in SQL, only if that holds.
 */
export function afterCommand(tag: string, identity = '', condition = 'true'): string {
  return `
    create function faults.halt_command() returns event_trigger language plpgsql as $$
    begin
      if exists (
        select from pg_event_trigger_ddl_commands() where object_identity ~ '${identity}'
      ) then
        if ${condition} then perform faults.wait(); end if;
      end if;
    end $$;
    create event trigger halt_command on ddl_command_end when tag in ('${tag}')
      execute function faults.halt_command();`;
}

/** Whoever comes to the step in this database waits there. To be called once a database. */
export async function haltAt(target: TestDatabase, { name, arrange }: Step): Promise<Halt> {
  const keeper = await target.session();
  await keeper.query('select pg_advisory_lock(7, 7)');
  await target.query(`${functions} ${arrange}`);
  return {
    reached: () => untilWaitedFor(target, [7, 7], `somebody ${name}`),
    open: async () => {
      // A stop of the server has let everybody pass.
      await keeper.query('select pg_advisory_unlock(7, 7)').catch(() => undefined);
    },
  };
}

/** The wait is one for a lock, which only the test ends, whatever timeout is in force. */
const functions = `
  create schema faults;
  create function faults.wait() returns void language plpgsql set lock_timeout = 0
  as $$ begin perform pg_advisory_xact_lock_shared(7, 7); end $$;
  create function faults.halt() returns trigger language plpgsql
  as $$ begin perform faults.wait(); return new; end $$;`;
