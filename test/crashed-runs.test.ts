import type pg from 'pg';
import { expect, test } from 'vitest';
import { createLogin, createOwnedDatabase, type OwnedDatabase } from './support/owned-database.js';
import { eventually } from './support/slow-job.js';

/** Begins a run without an end, in its own session. */
async function beginRun({ target }: OwnedDatabase, client: pg.Client): Promise<string> {
  await target.query(`update public.work_items set action = action || '.' where id = 1`);
  const { rows } = await client.query<{ id: string | null }>(
    `select registry_stats.begin_run('update_counts', 'schedule') as id`,
  );
  const id = rows[0]?.id ?? null;
  if (id === null) throw new Error('expected work for a run');
  return id;
}

async function outcomeOf({ target }: OwnedDatabase, id: string): Promise<string | null> {
  const [run] = await target.query<{ outcome: string | null }>(
    'select outcome from registry_stats.run where id = $1',
    [id],
  );
  return run?.outcome ?? null;
}

/** Pretends that the server reused the process id: the run has that of another session. */
async function reuse({ target }: OwnedDatabase, id: string, by: pg.Client): Promise<void> {
  await target.query(
    `update registry_stats.run
    set backend_pid = $2, backend_start = backend_start - interval '1 hour'
    where id = $1`,
    [id, pidOf(by)],
  );
}

function pidOf(client: pg.Client): number {
  return (client as unknown as { processID: number }).processID;
}

/** The owner calls like Registry; the daemon begins its own run. */
const callers = ['owner', 'daemon'] as const;

async function look(owned: OwnedDatabase, as: (typeof callers)[number]): Promise<void> {
  await beginRun(owned, await owned[as].session());
}

test.each(callers)('the %s does not mark a run of an open session as crashed', async (looker) => {
  const owned = await createOwnedDatabase();
  const sessions = [await owned.daemon.session(), await owned.owner.session()];
  const runs = await Promise.all(sessions.map((client) => beginRun(owned, client)));
  await look(owned, looker);

  expect(await Promise.all(runs.map((id) => outcomeOf(owned, id)))).toEqual([null, null]);
});

test.each(callers)('the %s marks a run of an ended session as crashed', async (looker) => {
  const owned = await createOwnedDatabase();
  const clients = [await owned.daemon.session(), await owned.owner.session()];
  const runs = await Promise.all(clients.map((client) => beginRun(owned, client)));
  for (const client of clients) {
    await owned.target.query('select pg_terminate_backend($1)', [pidOf(client)]);
  }
  await eventually('the end of both sessions', async () => {
    const pids = clients.map(pidOf);
    const living = await owned.target.query(
      'select from pg_stat_activity where pid = any ($1::int[])',
      [pids],
    );
    return living.length === 0;
  });
  await look(owned, looker);

  expect(await Promise.all(runs.map((id) => outcomeOf(owned, id)))).toEqual(['crashed', 'crashed']);
});

test.each(callers)(
  'the daemon marks a run as crashed if a session of the %s has its process id now',
  async (by) => {
    const owned = await createOwnedDatabase();
    const id = await beginRun(owned, await owned.daemon.session());
    const later = await owned[by].session();
    await reuse(owned, id, later);
    await look(owned, 'daemon');

    expect(await outcomeOf(owned, id)).toBe('crashed');
  },
);

test('a run is not marked as crashed while a hidden session has its process id', async () => {
  const owned = await createOwnedDatabase();
  const stranger = await (await createLogin(owned.target, 'stranger')).session();
  const id = await beginRun(owned, await owned.daemon.session());
  await reuse(owned, id, stranger);
  await look(owned, 'daemon');
  await look(owned, 'owner');
  expect(await outcomeOf(owned, id)).toBeNull();

  await stranger.end();
  await eventually('the end of the session', async () => {
    await look(owned, 'daemon');
    return (await outcomeOf(owned, id)) === 'crashed';
  });
});

test('a run records its session and the begin of the session, for any role', async () => {
  const owned = await createOwnedDatabase();
  for (const client of [await owned.daemon.session(), await owned.owner.session()]) {
    const id = await beginRun(owned, client);
    expect(
      await owned.target.query(
        `select run.backend_start = activity.backend_start as "isRight"
        from registry_stats.run
        join pg_stat_activity as activity on activity.pid = run.backend_pid
        where run.id = $1`,
        [id],
      ),
    ).toEqual([{ isRight: true }]);
  }
});
