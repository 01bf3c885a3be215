import type pg from 'pg';
import { onTestFinished, vi } from 'vitest';
import { jobNames } from '../../src/jobs/job.js';
import { materializedViews } from '../../src/jobs/registry-objects.js';

const patience = { timeout: 45_000, interval: 10 };

const loadKinds = ['readers', 'writers'] as const;
type Kind = (typeof loadKinds)[number];
type Errors = Record<Kind | 'callers', string[]>;

/** Registry's daily load from several sessions, as long as a test needs it. */
export interface Load {
  /** Resolves when each session has completed a turn that began after the call. */
  progress(): Promise<void>;
  stop(kind: Kind): Promise<void>;
  start(kind: Kind): void;
  /** Calls the three public functions, like Registry about every hour. */
  call(): Promise<void>;
  /** Ends the load; returns the message of every error. */
  end(): Promise<Errors>;
}

type Turn = (number: number) => Promise<unknown>;

/**
 * Starts writers and readers. Writers ingest, check fixity, delete and update, one transaction per
 * turn, and active files grow. Readers read like pages, one of them all views in one snapshot.
 */
export async function startLoad(session: () => Promise<pg.Client>): Promise<Load> {
  const errors: Errors = { readers: [], writers: [], callers: [] };
  const turns: Record<Kind, Turn[]> = {
    readers: [pages(await session()), report(await session())],
    writers: [writer(await session(), 0), writer(await session(), 1)],
  };
  const caller = await session();
  const running: Record<Kind, Repeated[]> = { readers: [], writers: [] };
  const start = (kind: Kind): void => {
    running[kind] = turns[kind].map((turn) => new Repeated(turn, errors[kind]));
  };
  const stop = async (kind: Kind): Promise<void> => {
    await Promise.all(running[kind].splice(0).map((repeated) => repeated.stop()));
  };
  const hasErrors = (): boolean => Object.values(errors).some((messages) => messages.length > 0);
  loadKinds.forEach(start);
  const end = async (): Promise<Errors> => {
    await Promise.all(loadKinds.map(stop));
    return errors;
  };
  // Before its sessions are closed.
  onTestFinished(async () => {
    await end();
  });
  return {
    start,
    stop,
    progress: async () => {
      const awaited = loadKinds
        .flatMap((kind) => running[kind])
        .map((repeated) => ({ repeated, until: repeated.turns + 2 }));
      await vi.waitFor(() => {
        const late = awaited.filter(({ repeated, until }) => repeated.turns < until);
        if (late.length > 0 && !hasErrors()) {
          throw new Error(`expected ${late.length} more sessions to go on`);
        }
      }, patience);
      if (hasErrors()) throw new Error(`expected no error, found ${JSON.stringify(errors)}`);
    },
    call: async () => {
      try {
        for (const name of jobNames) await caller.query(`select public.${name}()`);
      } catch (error) {
        errors.callers.push((error as Error).message);
      }
    },
    end,
  };
}

/** Repeats a turn until it is stopped. Records errors and continues. */
class Repeated {
  turns = 0;
  #isStopped = false;
  readonly #done: Promise<void>;

  constructor(turn: Turn, errors: string[]) {
    this.#done = this.#run(turn, errors);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  async #run(turn: Turn, errors: string[]): Promise<void> {
    while (!this.#isStopped && errors.length < 100) {
      await turn(turnNumber++).catch((error: unknown) => {
        errors.push((error as Error).message);
      });
      this.turns++;
    }
  }
}

function pages(client: pg.Client): Turn {
  return async () => {
    const { rows } = await client.query<{ row_count: string }>({
      name: 'count',
      text: `select row_count from public.premis_event_counts
        where institution_id is null and event_type is null and outcome is null`,
    });
    if (rows.length === 0) throw new Error('a page found no count');
    const deposits = await client.query({
      name: 'deposits',
      text: `select * from public.current_deposit_stats
        where institution_id is null order by primary_sort, secondary_sort`,
    });
    if (deposits.rows.length === 0) throw new Error('a page found no deposits');
    const history = await client.query({
      name: 'history',
      text: `select * from public.historical_deposit_stats
        where institution_id is null and end_date = '2024-01-01'`,
    });
    if (history.rows.length === 0) throw new Error('a page found no history');
  };
}

/**
 * Reads all views in one snapshot, with a lock on each. In the order of the swap, because another
 * order without a pause would make the swap roll back every time.
 */
function report(client: pg.Client): Turn {
  const views = [...materializedViews].sort();
  return async () => {
    await client.query('begin isolation level repeatable read read only');
    try {
      for (const view of views) {
        const { rows } = await client.query(`select from public.${view}`);
        if (rows.length === 0) throw new Error(`a report found ${view} empty`);
      }
    } finally {
      await client.query('commit');
    }
  };
}

let turnNumber = 0;

function writer(client: pg.Client, offset: number): Turn {
  return async (turn) => {
    const name = `load ${offset} ${turn}`;
    await client.query('begin');
    try {
      for (const statement of ingest) await client.query(statement, [name, offset]);
      await client.query('commit');
    } catch (error) {
      await client.query('rollback');
      throw error;
    }
  };
}

/** $1 is a new name, $2 identifies the writer, so that writers never wait for each other. */
const ingest = [
  `insert into public.intellectual_objects
    (identifier, bag_name, institution_id, state, storage_option, created_at, updated_at)
  select $1::text, $1::text, id, 'A', 'Standard', now(), now()
  from public.institutions order by id limit 1 offset $2::int`,

  `insert into public.generic_files
    (identifier, uuid, size, state, institution_id, intellectual_object_id, created_at, updated_at)
  select $1::text || number, $1::text || number, 1000 + $2::int, 'A', institution_id, id, now(), now()
  from public.intellectual_objects
  cross join generate_series(1, 3) as number
  where identifier = $1::text`,

  `insert into public.premis_events
    (identifier, event_type, outcome, institution_id, date_time, created_at, updated_at)
  select $1::text || number, 'ingestion', 'Success', id, now(), now(), now()
  from (select id from public.institutions order by id limit 1 offset $2::int) as institution
  cross join generate_series(1, 4) as number`,

  `update public.generic_files
  set
    last_fixity_check = now(),
    updated_at = now(),
    state = case identifier when $1::text || 1 then 'D' else state end,
    size = size,
    storage_option = storage_option
  where identifier in ($1::text || 1, $1::text || 2) and $2::int >= 0`,

  `update public.work_items
  set action = case action when 'Ingest' then 'Delete' else 'Ingest' end, updated_at = now()
  where id % 2 = $2::int and $1::text <> ''`,

  `delete from public.premis_events where identifier = $1::text || 4 and $2::int >= 0`,
];
