import { expect, test } from 'vitest';
import { startDaemon, type Program } from '../support/program.js';
import { databaseWithRows, everySecond, messages } from '../support/runs.js';
import { replaceUpdateCounts } from '../support/slow-job.js';
import type { TestDatabase } from '../support/test-database.js';

const runsOfEach = 50;

/**
 * Records every refresh of a view before it waits for its lock, by any caller. Removes the guard by
 * age, so that every run refreshes.
 */
async function recordRefreshes(target: TestDatabase): Promise<void> {
  await replaceUpdateCounts(
    target,
    `refresh materialized view concurrently public.premis_event_counts;
    refresh materialized view concurrently public.intellectual_object_counts;
    refresh materialized view concurrently public.generic_file_counts;
    refresh materialized view concurrently public.work_item_counts;`,
  );
  await target.query(`
    create or replace function public.update_current_deposit_stats() returns integer
    language plpgsql as $$
    begin
      refresh materialized view concurrently public.current_deposit_stats;
      return 1;
    end $$;

    create table public.refresh_log (
      id bigint generated always as identity primary key,
      event text not null,
      backend int not null default pg_backend_pid(),
      statement text not null default current_query(),
      transaction xid8 not null default pg_current_xact_id(),
      moment timestamptz not null default clock_timestamp()
    );

    create function public.log_refresh() returns event_trigger language plpgsql as $$
    begin
      insert into public.refresh_log (event) values (tg_event);
    end $$;

    create event trigger log_refresh_start on ddl_command_start
      when tag in ('REFRESH MATERIALIZED VIEW') execute function public.log_refresh();
    create event trigger log_refresh_end on ddl_command_end
      when tag in ('REFRESH MATERIALIZED VIEW') execute function public.log_refresh();`);
}

/** Transactions of one job that refreshed at the same time. */
const overlaps = `
  with run as (
    select
      transaction,
      min(moment) as began,
      max(moment) as ended,
      bool_or(statement ~ 'deposit_stats') as is_deposits
    from public.refresh_log
    group by transaction
  )

  select one.transaction as one, other.transaction as other
  from run as one
  join run as other
    on other.transaction > one.transaction
    and other.is_deposits = one.is_deposits
    and other.began < one.ended
    and one.began < other.ended`;

function countRuns(daemon: Program): number {
  const ends = daemon.lines.filter(({ outcome }) => outcome !== undefined);
  return ends.filter(({ job }) => job === 'update_counts').length;
}

/** Requests the next run as soon as the last one has ended, in addition to the schedule. */
async function runOften(daemon: Program): Promise<void> {
  await daemon.untilLine('started;');
  for (let done = 0; done < runsOfEach; done = countRuns(daemon)) {
    daemon.kill('SIGUSR2');
    await daemon.until('another run', () => countRuns(daemon) > done);
  }
}

test('two daemons on one database share the work, and never run a job at the same time', async () => {
  const target = await databaseWithRows();
  await recordRefreshes(target);
  const daemons = await Promise.all(
    [1, 2].map(() => startDaemon({ env: { ...target.env, ...everySecond } })),
  );
  await Promise.all(daemons.map(runOften));
  for (const daemon of daemons) daemon.kill('SIGTERM');
  for (const daemon of daemons) expect(await daemon.exited()).toEqual({ code: 0, signal: null });

  const [server] = await target.query<{ deadlocks: string }>(
    'select deadlocks from pg_stat_database where datname = current_database()',
  );
  expect(server?.deadlocks).toBe('0');
  expect(await target.query(overlaps)).toEqual([]);
  for (const daemon of daemons) {
    expect(messages(daemon, 'error')).toEqual([]);
    expect(messages(daemon, 'warn')).toEqual([]);
  }
  const reasons = daemons.flatMap(({ lines }) => lines.map(({ reason }) => reason));
  expect(reasons).toContain('running elsewhere');
  const recorded = await target.query('select distinct transaction from public.refresh_log');
  const ends = daemons.flatMap(({ lines }) => lines);
  expect(recorded.length).toBe(
    ends.filter(({ job, outcome }) => job?.startsWith('update_') && outcome === 'refreshed').length,
  );
}, 180_000);
