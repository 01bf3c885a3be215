import type pg from 'pg';
import { expect, test } from 'vitest';
import { createLogin, createOwnedDatabase, type OwnedDatabase } from './support/owned-database.js';
import { eventually } from './support/slow-job.js';

/** A run that was begun and not finished, in a session of its own. */
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

/** The server gives a number of a process again: the run's is that of another session now. */
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

/** The owner calls as Registry does, the daemon begins a run of its own. */
const lookers = ['owner', 'daemon'] as const;

async function look(owned: OwnedDatabase, as: (typeof lookers)[number]): Promise<void> {
  await beginRun(owned, await owned[as].session());
}

test.each(lookers)('a run whose session lives is not marked crashed by the %s', async (looker) => {
  const owned = await createOwnedDatabase();
  const sessions = [await owned.daemon.session(), await owned.owner.session()];
  const runs = await Promise.all(sessions.map((client) => beginRun(owned, client)));
  await look(owned, looker);

  expect(await Promise.all(runs.map((id) => outcomeOf(owned, id)))).toEqual([null, null]);
});

test.each(lookers)('a run whose session ended is marked crashed by the %s', async (looker) => {
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

test.each(lookers)(
  'the daemon finds a run crashed whose process number a session of the %s has now',
  async (by) => {
    const owned = await createOwnedDatabase();
    const id = await beginRun(owned, await owned.daemon.session());
    const later = await owned[by].session();
    await reuse(owned, id, later);
    await look(owned, 'daemon');

    expect(await outcomeOf(owned, id)).toBe('crashed');
  },
);

test('a number that a session has which nobody may look at is not taken for a crash, until its end', async () => {
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

test('the session that works is recorded with its begin, whichever role it has', async () => {
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
