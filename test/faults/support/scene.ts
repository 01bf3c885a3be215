import { loadCsv } from '../../support/load-csv.js';
import { startDaemon, type Environment, type Program } from '../../support/program.js';
import { databaseWithRows, everySecond } from '../../support/runs.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

/** Retries each second, and waits at a step as long as the test. */
export const sceneSettings = { ...everySecond, LOCK_TIMEOUT: '2m' };

export async function startSceneDaemon(
  target: TestDatabase,
  settings: Environment = {},
): Promise<Program> {
  return startDaemon({ env: { ...target.env, ...sceneSettings, ...settings } });
}

/** Creates a migrated database with fixtures that are not in the figures: each job is due. */
export async function databaseWithWork(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  return target;
}

/** Creates a live Registry database before our first migration, with current figures. */
export async function registryDatabase(): Promise<TestDatabase> {
  const target = await databaseWithRows();
  await target.query(
    `select public.update_counts(), public.update_current_deposit_stats(),
      public.populate_all_historical_deposit_stats(), public.populate_empty_deposit_stats()`,
  );
  return target;
}

/** Changes figures of every view and deletes a month of the history: each job is due. */
export async function makeWork({ query }: Pick<TestDatabase, 'query'>): Promise<void> {
  for (const statement of changes) await query(statement);
}

/** Only rows newer than the last month of the history, so its figures stay. */
const changes = [
  `insert into public.intellectual_objects
    (identifier, bag_name, institution_id, state, storage_option, created_at, updated_at)
  select name, name, 2, 'A', 'Standard', now(), now()
  from (select gen_random_uuid()::text as name) as one`,

  `insert into public.generic_files
    (identifier, uuid, size, state, institution_id, intellectual_object_id, created_at, updated_at)
  select identifier, identifier, 11, 'A', institution_id, id, now(), now()
  from public.intellectual_objects
  order by id desc
  limit 1`,

  `insert into public.premis_events (event_type, institution_id, created_at, updated_at)
  values ('ingestion', null, now(), now())`,

  `update public.work_items set action = case action when 'Ingest' then 'Delete' else 'Ingest' end
  where id = (select min(id) from public.work_items)`,

  `delete from public.historical_deposit_stats
  where end_date = (select max(end_date) from public.historical_deposit_stats)`,
];
