import { untilWaitedFor } from '../../support/lock-waiter.js';
import type { TestDatabase } from '../../support/test-database.js';

/** A step of the daemon or a command at which a test can hold it. */
export interface Step {
  readonly name: string;
  /** SQL for the test's database that calls faults.wait() at the step. */
  readonly arrange: string;
  /** The step is before the commit of the run's begin. */
  readonly isUnrecorded?: true;
}

/** The daemon or a command, held at a step. */
export interface Halt {
  /** Resolves to the pid of the backend that waits there. */
  reached(): Promise<number>;
  /** Releases the backend and all later ones. */
  open(): Promise<void>;
}

/** The steps of a run of all jobs, in order. */
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
  // Except where another end is recorded after the fault.
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

/** Returns SQL for a statement trigger before an event. */
function before(event: string): string {
  return `create trigger halt before ${event} for each statement execute function faults.halt();`;
}

/**
 * Returns SQL for an event trigger after a DDL command on an object. `identity` is a regular
 * expression.
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

/** Holds every backend that reaches the step in this database. Call it once per database. */
export async function haltAt(target: TestDatabase, { name, arrange }: Step): Promise<Halt> {
  const keeper = await target.session();
  await keeper.query('select pg_advisory_lock(7, 7)');
  await target.query(`${functions} ${arrange}`);
  return {
    reached: () => untilWaitedFor(target, [7, 7], `somebody ${name}`),
    open: async () => {
      // A stop of the server has released the backend.
      await keeper.query('select pg_advisory_unlock(7, 7)').catch(() => undefined);
    },
  };
}

/** Waits for a lock that only the test releases, ignoring timeouts. */
const functions = `
  create schema faults;
  create function faults.wait() returns void language plpgsql set lock_timeout = 0
  as $$ begin perform pg_advisory_xact_lock_shared(7, 7); end $$;
  create function faults.halt() returns trigger language plpgsql
  as $$ begin perform faults.wait(); return new; end $$;`;
