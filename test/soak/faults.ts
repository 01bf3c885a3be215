import type pg from 'pg';
import type { Program } from '../support/program.js';
import { eventually } from '../support/slow-job.js';
import type { TcpProxy } from '../support/tcp-proxy.js';
import type { TestDatabase } from '../support/test-database.js';

export interface Faulty {
  readonly target: TestDatabase;
  readonly daemon: Program;
  readonly proxy: TcpProxy;
  /** Holds a run at the point of the fault. */
  readonly keeper: pg.Client;
}

type Strike = (faulty: Faulty, backend: number) => Promise<unknown>;

/** The faults during a run. */
const strikes: Readonly<Record<string, Strike>> = {
  'backend terminated': ({ target }, backend) =>
    target.query('select pg_terminate_backend($1)', [backend]),
  'statement cancelled': ({ target }, backend) =>
    target.query('select pg_cancel_backend($1)', [backend]),
  'connections cut': async ({ proxy }) => {
    await proxy.cut();
    await proxy.restore();
  },
};

/** The locks that hold a run: on one of our tables that it will write to. */
const holds = {
  'before its record': 'lock table registry_stats.run in share mode',
  'before its fold': 'lock table registry_stats.count_rollup in access exclusive mode',
  'within its fold': 'lock table registry_stats.view in share mode',
} as const;

const kinds = Object.keys(strikes).flatMap((strike) =>
  Object.keys(holds).map((hold) => ({ strike, hold: hold as keyof typeof holds })),
);

/** A change to fold; without one a run takes none of these locks. */
const change = `insert into public.premis_events (event_type, institution_id, created_at, updated_at)
  values ('ingestion', 1, now(), now())`;

/** Requests a run and applies a fault. Returns its kind. The daemon recovers later. */
export async function strikeRun(faulty: Faulty, number: number): Promise<string> {
  const { target, daemon, keeper } = faulty;
  const { strike, hold } = kinds[number % kinds.length] ?? { strike: '', hold: 'before its fold' };
  await target.query(change);
  await keeper.query('begin');
  await keeper.query(holds[hold]);
  daemon.kill('SIGUSR2');
  await strikes[strike]?.(faulty, await heldBackend(target));
  await keeper.query('rollback');
  return `${strike} ${hold}`;
}

async function heldBackend({ query }: TestDatabase): Promise<number> {
  let backend: number | undefined;
  await eventually('a run that waits for a lock', async () => {
    const [held] = await query<{ pid: number }>(
      `select pid from pg_stat_activity
      where datname = current_database()
        and application_name = 'registry-stats'
        and wait_event_type = 'Lock'`,
    );
    backend = held?.pid;
    return backend !== undefined;
  });
  return backend ?? 0;
}
