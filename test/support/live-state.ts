import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { splitStatements } from '../../src/schema/split-statements.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';
import { generateSampleData } from '../../src/dev/sample-data.js';
import { loadCsv } from './load-csv.js';
import { createEmptyOwnedDatabase, type Login, type OwnedDatabase } from './owned-database.js';
import { runScript } from './run-script.js';

export type LiveDatabase = Omit<OwnedDatabase, 'daemonRole'>;

interface LiveOptions {
  /** The rows in Registry's tables: `handMadeRows` by default, the fixtures, or a sample. */
  readonly data?: 'none' | 'rows' | 'fixtures' | { readonly sampleFiles: number };
  /** Whether Registry's server has run twice; else its statistics are empty. */
  readonly isFilled?: boolean;
}

export const registryViews = [
  'premis_event_counts',
  'intellectual_object_counts',
  'generic_file_counts',
  'work_item_counts',
  'current_deposit_stats',
] as const;

export type RegistryView = (typeof registryViews)[number];

const registryFunctions = [
  'update_counts()',
  'update_current_deposit_stats()',
  'populate_historical_deposit_stats(stop_date timestamp)',
  'populate_historical_deposit_stats(stop_date date)',
  'populate_empty_deposit_stats()',
  'populate_all_historical_deposit_stats()',
] as const;

type RegistryFunction = (typeof registryFunctions)[number];

/** live-state.sql: the state after Registry's own migrations. It may run again. */
export const liveStateText = await readFile(
  fileURLToPath(new URL('live-state.sql', import.meta.url)),
  'utf8',
);

/** Creates the state of production. All objects belong to `owner`, an ordinary role. */
export async function createLiveDatabase(options: LiveOptions = {}): Promise<LiveDatabase> {
  const { data = 'rows', isFilled = true } = options;
  const created = await createEmptyOwnedDatabase();
  const { schema } = await readSqlFiles();
  for (const { text } of schema) await runAs(created.owner, text);
  await runAs(created.owner, liveStateText);
  await load(created.owner, data);
  if (isFilled) await runAs(created.owner, registryHourly + registryStart);
  return created;
}

/** Creates the state of a test database: the same objects, without recorded migrations. */
export async function createTestStateDatabase(options: LiveOptions = {}): Promise<LiveDatabase> {
  const created = await createLiveDatabase(options);
  await runAs(created.owner, 'delete from schema_migrations');
  return created;
}

/** Registry's server calls these about every hour, except in maintenance. */
export const registryHourly = `
  select update_counts();
  select update_current_deposit_stats();
  select populate_all_historical_deposit_stats();
`;

/** Registry's server calls this at its start: the zero rows. */
export const registryStart = 'select populate_empty_deposit_stats();';

/** Returns a file that recreates a view; `with no data` leaves it empty. */
export function registryViewText(view: RegistryView, { isFilled = true } = {}): string {
  const create = statement(`create materialized view ${view} as`);
  return script([
    statement(`drop materialized view if exists ${view}`),
    isFilled ? create : `${create}\nwith no data`,
    statement(new RegExp(`^create unique index \\w+\\s+on ${view} `)),
  ]);
}

/** Returns a file that restores a function's body. */
function registryFunctionText(signature: RegistryFunction): string {
  return script([statement(`create or replace function ${signature}`)]);
}

/** The same for all six. */
export const registryFunctionTexts: readonly string[] = registryFunctions.map(registryFunctionText);

/** Returns a file that changes a price, and so the whole history. */
export function registryPriceChange(optionName: string, price: number): string {
  return script([
    `update storage_options
    set cost_gb_per_month = ${price}, updated_at = now() at time zone 'utc'
    where name = ${pg.escapeLiteral(optionName)}`,
    'delete from historical_deposit_stats',
    'select populate_empty_deposit_stats()',
    'select populate_all_historical_deposit_stats()',
  ]);
}

/** Runs a file like `psql -f` in a session of this login, and throws its errors. */
export async function runAs(login: Pick<Login, 'session'>, text: string): Promise<void> {
  const client = await login.session();
  const problems = await runScript(client, text);
  await client.end();
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

/**
 * Two institutions (North is the parent of South) with files of four options over two years. Some
 * files have no size, no object, or are deleted. One group has no known size (South, Wasabi-VA).
 */
const handMadeRows = `
  insert into institutions (
    id, name, identifier, state, type, member_institution_id, receiving_bucket, restore_bucket,
    created_at, updated_at
  )
  values
    (1, 'North', 'north.edu', 'A', 'MemberInstitution', null, 'in.north', 'out.north',
      '2022-01-01', '2022-01-01'),
    (2, 'South', 'south.edu', 'A', 'SubscriptionMember', 1, 'in.south', 'out.south',
      '2022-01-01', '2022-01-01');

  insert into storage_options (
    id, provider, service, region, name, cost_gb_per_month, comment, updated_at
  )
  values
    (1, 'AWS', 'S3 + Glacier', 'VA-OR', 'Standard', 0.41016, '', '2024-02-10'),
    (2, 'AWS', 'Glacier', 'OH', 'Glacier-OH', 0.05859, '', '2024-02-10'),
    (3, 'AWS', 'Glacier-Deep', 'VA', 'Glacier-Deep-VA', 0.01953, '', '2024-02-10'),
    (4, 'Wasabi', 'S3', 'VA', 'Wasabi-VA', 0.0059, '', '2024-02-10');

  insert into intellectual_objects (
    id, title, identifier, bag_name, institution_id, state, storage_option, created_at, updated_at
  )
  values
    (1, 'One', 'north.edu/one', 'one', 1, 'A', 'Standard', '2022-03-15', '2022-03-15'),
    (2, 'Two', 'north.edu/two', 'two', 1, 'A', 'Glacier-OH', '2022-09-30', '2022-09-30'),
    (3, 'Three', 'south.edu/three', 'three', 2, 'A', 'Standard', '2023-01-01', '2023-01-01'),
    (4, 'Four', 'south.edu/four', 'four', 2, 'D', 'Wasabi-VA', '2023-06-20', '2024-01-05'),
    (5, 'Five', 'nowhere/five', 'five', null, null, 'Standard', '2023-07-01', '2023-07-01');

  insert into generic_files (
    id, file_format, size, identifier, intellectual_object_id, institution_id, state,
    storage_option, uuid, created_at, updated_at
  )
  select
    id, 'text/plain', size, 'file ' || id, object_id, institution_id, state,
    storage_option, 'uuid ' || id, created_at, created_at
  from (
    values
      (1, 1073741824::bigint, 1, 1, 'A', 'Standard', '2022-03-15 10:00:00'::timestamp),
      (2, 5368709120, 1, 1, 'A', 'Standard', '2022-03-31 23:59:59'),
      (3, null, 1, 1, 'A', 'Standard', '2022-04-01 00:00:00'),
      (4, 1234567890123, 2, 1, 'A', 'Glacier-OH', '2022-09-30 12:00:00'),
      (5, 77, 2, 1, 'D', 'Glacier-OH', '2022-09-30 12:00:00'),
      (6, 0, null, 1, 'A', 'Glacier-Deep-VA', '2023-02-28 08:00:00'),
      (7, 4096, 3, 2, 'A', 'Standard', '2023-01-01 00:00:00'),
      (8, 65536, 3, 2, 'A', 'Standard', '2023-12-31 23:59:59'),
      (9, null, 4, 2, 'A', 'Wasabi-VA', '2023-06-20 06:00:00'),
      (10, null, 4, 2, 'A', 'Wasabi-VA', '2023-06-20 06:00:00'),
      (11, 999, 4, 2, 'D', 'Wasabi-VA', '2023-06-20 06:00:00'),
      (12, 2048, 3, 2, null, 'Standard', '2024-02-29 17:00:00')
  ) as file (id, size, object_id, institution_id, state, storage_option, created_at);

  insert into premis_events (
    id, identifier, event_type, date_time, outcome, intellectual_object_id, generic_file_id,
    institution_id, created_at, updated_at
  )
  select
    id, 'event ' || id, event_type, '2023-01-01', outcome, object_id, file_id,
    institution_id, '2023-01-01', '2023-01-01'
  from (
    values
      (1, 'ingestion', 'Success', 1, 1, 1),
      (2, 'ingestion', 'Success', 1, 2, 1),
      (3, 'fixity check', 'Success', 1, 1, 1),
      (4, 'fixity check', 'Failed', 1, 2, 1),
      (5, 'ingestion', 'Success', 3, 7, 2),
      (6, 'fixity check', null, 3, 7, 2),
      (7, 'access assignment', 'Success', 5, null, null)
  ) as event (id, event_type, outcome, object_id, file_id, institution_id);

  insert into work_items (
    id, name, action, stage, status, institution_id, intellectual_object_id, created_at, updated_at
  )
  values
    (1, 'one.tar', 'Ingest', 'Cleanup', 'Success', 1, 1, '2022-03-15', '2022-03-15'),
    (2, 'two.tar', 'Ingest', 'Cleanup', 'Success', 1, 2, '2022-09-30', '2022-09-30'),
    (3, 'three.tar', 'Ingest', 'Cleanup', 'Success', 2, 3, '2023-01-01', '2023-01-01'),
    (4, 'four.tar', 'Delete', 'Resolve', 'Success', 2, 4, '2024-01-05', '2024-01-05'),
    (5, 'five.tar', 'Ingest', 'Receive', 'Pending', null, null, '2024-01-05', '2024-01-05');

  select setval(pg_get_serial_sequence(name, 'id'), 1000)
  from unnest(array[
    'institutions', 'storage_options', 'intellectual_objects', 'generic_files', 'premis_events',
    'work_items'
  ]) as name;
`;

async function load(owner: Login, data: LiveOptions['data'] & {}): Promise<void> {
  if (data === 'none') return;
  if (data === 'rows') {
    await runAs(owner, handMadeRows);
  } else if (data === 'fixtures') {
    await loadCsv(owner.database);
  } else {
    const options = { statementTimeoutMs: 0, lockTimeoutMs: 5_000 };
    await owner.database.write(options, (transaction) =>
      generateSampleData(transaction, data.sampleFiles),
    );
  }
}

/** Returns the statement of live-state.sql that starts with this text. */
function statement(start: string | RegExp): string {
  const found = splitStatements(liveStateText).find(({ text }) =>
    typeof start === 'string' ? text.startsWith(start) : start.test(text),
  );
  if (found === undefined) throw new Error(`live-state.sql has no statement like ${start}`);
  return found.text;
}

function script(statements: readonly string[]): string {
  return statements.map((text) => `${text};\n`).join('\n');
}
