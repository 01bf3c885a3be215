import type pg from 'pg';
import { expect } from 'vitest';
import type { Query } from '../../src/db/transaction.js';
import { readStatistics } from '../../src/status/read-statistics.js';
import { verify } from '../../src/statistics/verify.js';
import { wrongFigures } from '../exactness/truth.js';
import { createLiveDatabase, type LiveDatabase } from './live-state.js';
import { migrateAs } from './owned-database.js';
import { runEachJob } from './run-each-job.js';

/** A migrated live Registry database with current figures, and its owner's session. */
export interface Scene extends LiveDatabase {
  readonly session: pg.Client;
  readonly query: Query;
}

export async function migrated(): Promise<Scene> {
  const live = await createLiveDatabase();
  await migrateAs(live.owner);
  await runEachJob(live.owner.database);
  const query: Query = (text, values) => live.owner.database.read(text, values);
  return { ...live, session: await live.owner.session(), query };
}

/** Inserts one row into each table, like Registry, without an error. */
export async function write({ session }: Pick<Scene, 'session'>, id: number): Promise<void> {
  await session.query(
    `insert into public.generic_files (
      id, identifier, institution_id, state, storage_option, size, uuid, created_at, updated_at
    )
    select ${id}, 'f${id}', min(id), 'A', 'Standard', 1000, gen_random_uuid(), now(), now()
    from public.institutions`,
  );
  await session.query(
    `insert into public.premis_events (id, identifier, institution_id, event_type, created_at, updated_at)
    select ${id}, 'e${id}', min(id), 'ingestion', now(), now() from public.institutions`,
  );
  await session.query(
    `insert into public.work_items (id, name, institution_id, created_at, updated_at)
    select ${id}, 'w${id}', min(id), now(), now() from public.institutions`,
  );
}

export async function expectExact(scene: Scene): Promise<void> {
  expect(await wrongFigures(scene.query, 'public.')).toEqual([]);
  expect(await wrongFigures(scene.query, 'registry_stats.live_')).toEqual([]);
  expect((await verify(scene.owner.database)).differences).toEqual([]);
  expect((await readStatistics(scene.owner.database)).inexact).toEqual([]);
}
