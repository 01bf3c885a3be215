import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSqlFiles } from '../src/schema/sql-files.js';
import { reset } from '../src/dev/reset.js';
import { assertResettable, type ResetTarget } from '../src/dev/safety.js';
import { fixturesFolder } from './support/load-csv.js';
import { dumpSchema } from './support/schema-dump.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { quietly } from './support/migrate-options.js';

const files = await readSqlFiles();

function resetWith({ database }: TestDatabase, fixtures = fixturesFolder, sampleFiles?: number) {
  return reset(database, {
    files,
    fixtures,
    sampleFiles,
    ...quietly,
    onRows: () => undefined,
  });
}

/** Copies the fixtures and replaces one file. */
async function brokenFixtures(name: string, text: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'registry-stats-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(fixturesFolder, folder, { recursive: true });
  await writeFile(path.join(folder, name), text);
  return folder;
}

function rowCounts({ query }: TestDatabase) {
  return query(
    `select (select count(*) from public.generic_files) as files,
      (select count(*) from public.historical_deposit_stats) as history,
      (select count(*) from public.current_deposit_stats) as deposits`,
  );
}

test('reset fills an empty database, and recreates a filled one', async () => {
  const target = await createTestDatabase('empty');
  const migrated = await createTestDatabase('migrated');
  await resetWith(target);
  const first = await rowCounts(target);
  await target.query('delete from public.checksums');
  await target.query('create function public.own() returns int language sql as $$ select 1 $$');
  await target.query('drop function public.own()');
  await resetWith(target);

  expect(await rowCounts(target)).toEqual(first);
  expect(await dumpSchema(target)).toBe(await dumpSchema(migrated));
});

test('after a reset the next row of every table gets a free id', async () => {
  const target = await createTestDatabase('empty');
  await resetWith(target);

  const [row] = await target.query<{ id: number }>(
    `insert into public.generic_files (identifier, institution_id, uuid, created_at, updated_at)
    values ('new', 1, 'new', now(), now()) returning id`,
  );
  const [highest] = await target.query<{ id: number }>(
    `select max(id) as id from public.generic_files where identifier <> 'new'`,
  );
  expect(row?.id).toBe((highest?.id ?? 0) + 1);
});

test.each([
  [
    'a value of the wrong type',
    'storage_records.csv',
    'id,generic_file_id,url\n1,one,http://x\n',
    /storage_records\.csv:2: invalid input syntax for type integer: "one"\n {2}column: generic_file_id/,
  ],
  [
    'an unknown column',
    'storage_records.csv',
    'id,colour\n1,red\n',
    /storage_records\.csv: column "colour" of relation "storage_records" does not exist/,
  ],
  [
    'no header row',
    'storage_records.csv',
    '1,2,3\n',
    /storage_records\.csv:1: expected a header row/,
  ],
  [
    'a missing parent',
    'storage_records.csv',
    'id,generic_file_id,url\n1,987654,http://x\n',
    /storage_records\.csv: insert or update .* violates foreign key[^]*detail: Key/,
  ],
  [
    'too few columns',
    'storage_records.csv',
    'id,generic_file_id,url\n1,1\n',
    /storage_records\.csv:2: missing data for column "url"/,
  ],
  [
    'an unknown table',
    'colours.csv',
    'id\n1\n',
    /expected files named <table>\.csv, found colours/,
  ],
])(
  'a fixture with %s is refused with its file and line, and nothing is lost',
  async (_what, name, text, message) => {
    const target = await createTestDatabase('empty');
    await resetWith(target);
    const before = await rowCounts(target);
    const folder = await brokenFixtures(name, text);

    await expect(resetWith(target, folder)).rejects.toMatchObject({
      code: 'FIXTURE_INVALID',
      message: expect.stringMatching(message) as string,
    });
    expect(await rowCounts(target)).toEqual(before);
  },
);

test('an object of others that depends on ours stops the reset, and nothing is lost', async () => {
  const target = await createTestDatabase('empty');
  await resetWith(target);
  await target.query(
    'create view public.foreign_report as select count(*) from public.alerts_view',
  );

  await expect(resetWith(target)).rejects.toMatchObject({
    code: 'RESET_REFUSED',
    message: expect.stringContaining(
      'view public.foreign_report depends on view public.alerts_view',
    ) as string,
  });
  expect(await target.query('select from public.foreign_report')).toHaveLength(1);
});

test('sample data has the shape of a Registry: institutions, months, options, both states', async () => {
  const target = await createTestDatabase('empty');
  await resetWith(target, fixturesFolder, 5_000);

  const [shape] = await target.query(
    `select
      (select count(*) from public.generic_files)::int as files,
      (select count(*) from public.premis_events)::int as events,
      (select count(*) from public.institutions)::int as institutions,
      (select count(distinct state) from public.generic_files)::int as states,
      (select count(distinct storage_option) from public.generic_files) > 8 as has_options,
      (select count(distinct date_trunc('year', created_at)) from public.generic_files) > 9
        as has_years,
      (select count(*) from public.generic_files where created_at > now()) = 0 as is_past`,
  );
  expect(shape).toEqual({
    files: 5_000,
    events: 15_000,
    institutions: 45,
    states: 2,
    has_options: true,
    has_years: true,
    is_past: true,
  });
});

function target(
  changed: Partial<ResetTarget> & { aptEnv?: string; isExplicit?: boolean },
): ResetTarget {
  const { aptEnv = 'dev', isExplicit: isAptEnvExplicit = true, ...rest } = changed;
  return {
    config: { aptEnv, isAptEnvExplicit } as ResetTarget['config'],
    isEmbedded: false,
    host: 'localhost',
    database: 'registry_dev',
    confirmed: undefined,
    ...rest,
  };
}

test.each([
  [
    { aptEnv: 'production' },
    'expected APT_ENV ci, dev, integration, test or travis, found production',
  ],
  [
    { aptEnv: 'production', confirmed: 'registry_dev' },
    'expected APT_ENV ci, dev, integration, test or travis, found production',
  ],
  [{ aptEnv: 'docker' }, 'expected APT_ENV ci, dev, integration, test or travis, found docker'],
  [{ isExplicit: false }, 'expected APT_ENV to be set together with DB_HOST, found only DB_HOST'],
  [
    { database: 'apt_production' },
    'expected a database for development, found the name "apt_production", which looks live',
  ],
  [
    { host: 'db.x.us-east-1.rds.amazonaws.com' },
    'expected a database for development, found the host "db.x.us-east-1.rds.amazonaws.com", which looks live',
  ],
  [
    { host: 'staging-db', database: 'demo' },
    'expected a database for development, found the name "demo", which looks live; the host "staging-db", which looks live',
  ],
  [{ confirmed: 'registry' }, '--confirm: expected "registry_dev", found "registry"'],
])('reset is refused for %j', async (changed, message) => {
  const { query } = await createTestDatabase('migrated');

  await expect(assertResettable(query, target(changed))).rejects.toMatchObject({
    code: 'RESET_REFUSED',
    message: `reset refused: ${message}`,
  });
});

test('reset is refused where there are tables that are not ours, unless the database is named', async () => {
  const { query } = await createTestDatabase('migrated');
  await query('create schema payroll');
  await query('create table payroll.salaries ()');
  await query('create table public.pets ()');

  await expect(assertResettable(query, target({}))).rejects.toMatchObject({
    message:
      'reset refused: expected a database for development, found tables that are not ours: ' +
      'payroll.salaries, public.pets',
    hint: 'if every row in it may go: --confirm registry_dev',
  });
  await expect(
    assertResettable(query, target({ confirmed: 'registry_dev' })),
  ).resolves.toBeUndefined();
});

test('reset is allowed in a database of development that holds only ours', async () => {
  const { query } = await createTestDatabase('migrated');

  await expect(assertResettable(query, target({}))).resolves.toBeUndefined();
  await expect(
    assertResettable(query, target({ isExplicit: false, isEmbedded: true })),
  ).resolves.toBeUndefined();
});
