import { EventEmitter, once } from 'node:events';
import { expect, test, inject } from 'vitest';
import { migrate, type MigrateOptions } from '../src/schema/migrate.js';
import { readPlan } from '../src/schema/plan.js';
import { printPending } from '../src/schema/print.js';
import { launchTables, neededTables } from '../src/jobs/registry-objects.js';
import { readSqlFiles, type SqlFile } from '../src/schema/sql-files.js';
import { openTestDatabase } from './support/server.js';
import { runScript } from './support/run-script.js';
import { dumpSchema } from './support/schema-dump.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { migrateQuietly } from './support/migrate-options.js';

const files = await readSqlFiles();
const needed: ReadonlySet<string> = new Set(neededTables);

function options(changed: Partial<MigrateOptions> = {}): MigrateOptions {
  return {
    files,
    ...migrateQuietly,
    ...changed,
  };
}

function migration(name: string, body: string): SqlFile {
  const text = `begin;\n
insert into public.schema_migrations (version, started_at) values ('${name}', now())
on conflict (version) do update set started_at = excluded.started_at;\n
${body}\n
update public.schema_migrations set finished_at = now() where version = '${name}';\n
commit;\n`;
  return { name, path: `sql/migrations/${name}.sql`, text };
}

function withMigration(...extra: SqlFile[]): Partial<MigrateOptions> {
  return { files: { ...files, migrations: [...files.migrations, ...extra] } };
}

async function planOf({ database }: TestDatabase, changed = files) {
  return readPlan((text, values) => database.read(text, values), changed);
}

test('twenty migrators at once on an empty database apply each file once', async () => {
  const target = await createTestDatabase('empty');
  const pools = Array.from({ length: 20 }, () =>
    openTestDatabase(inject('server'), target.name, { poolSize: 1 }),
  );
  const applied = await Promise.all(pools.map((pool) => migrate(pool, options())));
  await Promise.all(pools.map((pool) => pool.close()));

  expect(applied.flat().sort()).toEqual([
    'rollups of generic_files',
    'rollups of intellectual_objects',
    'rollups of premis_events',
    'rollups of work_items',
    'sql/functions',
    'sql/migrations/001_deposit_stats.sql',
    'sql/migrations/101_incremental_statistics.sql',
    'sql/schema',
    'views over the rollups',
  ]);
  const again = await migrate(target.database, options());
  expect(again).toEqual([]);
});

test('the runner, psql, psql twice and the printed script create the same schema', async () => {
  const byRunner = await createTestDatabase('migrated');
  const byPsql = await createTestDatabase('empty');
  const printed = await createTestDatabase('empty');
  const psql = await byPsql.session();
  for (const file of files.schema) expect(await runScript(psql, file.text)).toEqual([]);
  for (const file of [...files.migrations, ...files.migrations]) {
    expect(await runScript(psql, file.text)).toEqual([]);
  }
  // For operators who have only psql, here twice. The rest comes from the printed script.
  const rest = await printPending(await planOf(byPsql), files);
  expect(await runScript(psql, rest)).toEqual([]);
  expect(await runScript(psql, rest)).toEqual([]);
  const script = await printPending(await planOf(printed), files);
  expect(await runScript(await printed.session(), script)).toEqual([]);

  const dump = await dumpSchema(byRunner);
  expect(await dumpSchema(byPsql)).toBe(dump);
  expect(await dumpSchema(printed)).toBe(dump);
  expect(await printPending(await planOf(printed), files)).toBe('-- Nothing is pending.\n');
});

test('the schema is the golden one', async (context) => {
  const target = await createTestDatabase('migrated');
  const [server] = await target.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  // Each major version prints view definitions differently. The golden file is from 17.
  if (server?.major !== 17) context.skip();

  await expect(await dumpSchema(target)).toMatchFileSnapshot('golden/schema.txt');
});

test('a database with the launch schema rejects it and is unchanged', async () => {
  const target = await createTestDatabase('migrated');
  const before = await dumpSchema(target);
  const tables = files.schema[0];
  const errors = await runScript(await target.session(), tables?.text ?? '');

  expect(errors[0]).toBe(
    'Expected an empty database for the Registry schema, found tables of Registry',
  );
  expect(await dumpSchema(target)).toBe(before);
});

test('a database without some of the needed tables is refused, with their names', async () => {
  const target = await createTestDatabase('migrated');
  await target.query('drop table public.alerts_users cascade');
  await target.query('drop table public.storage_options cascade');

  await expect(migrate(target.database, options())).rejects.toMatchObject({
    code: 'NOT_REGISTRY',
    message:
      'expected all 8 tables that the statistics need, or no table of Registry; ' +
      'found 7, missing: storage_options',
  });
});

test('an earlier form of our schema is refused, with what to do', async () => {
  const target = await createTestDatabase('migrated');
  await target.query('alter table registry_stats.epoch drop column folded_to');

  await expect(migrate(target.database, options())).rejects.toMatchObject({
    code: 'DATABASE_NOT_MIGRATED',
    hint: 'run `registry-stats uninstall`, then `registry-stats migrate`',
  });
});

test('a database with any table of Registry is not a new one', async () => {
  const target = await createTestDatabase('empty');
  await target.query('create table public.alerts (id bigint)');

  await expect(migrate(target.database, options())).rejects.toMatchObject({
    code: 'NOT_REGISTRY',
    message: expect.stringContaining('found 0, missing: storage_options, institutions') as string,
  });
});

test('tables that the statistics do not need may be missing', async () => {
  const target = await createTestDatabase('empty');
  const psql = await target.session();
  for (const file of files.schema) expect(await runScript(psql, file.text)).toEqual([]);
  for (const table of launchTables) {
    if (needed.has(table)) continue;
    await target.query(`drop table public.${table} cascade`);
  }

  await expect(migrate(target.database, options())).resolves.toContain('views over the rollups');
});

test('an empty database gets no launch schema if that is not allowed', async () => {
  const target = await createTestDatabase('empty');

  await expect(
    migrate(target.database, options({ allowLaunchSchema: false })),
  ).rejects.toMatchObject({ code: 'NOT_REGISTRY' });
  expect(await dumpSchema(target)).toBe('\n');
});

test('an incomplete migration runs again, a finished one does not', async () => {
  const target = await createTestDatabase('migrated');
  await target.query('create table public.log (entry text)');
  const extra = withMigration(migration('201_test', `insert into public.log values ('ran');`));

  await target.query(`insert into public.schema_migrations values ('201_test', now(), null)`);
  expect((await planOf(target, extra.files)).migrations.at(-1)?.state).toBe('incomplete');
  expect(await migrate(target.database, options(extra))).toEqual(['sql/migrations/201_test.sql']);
  expect(await migrate(target.database, options(extra))).toEqual([]);
  expect(await target.query('select entry from public.log')).toEqual([{ entry: 'ran' }]);
});

test("versions of Registry's own are listed as unknown and left alone", async () => {
  const target = await createTestDatabase('migrated');
  await target.query(
    `insert into public.schema_migrations values ('002_work_item_restorations', now(), now())`,
  );

  expect((await planOf(target)).unknown).toEqual(['002_work_item_restorations']);
});

test('an error names file, line and detail, and the database is unchanged', async () => {
  const target = await createTestDatabase('migrated');
  const before = await dumpSchema(target);
  const extra = withMigration(
    migration(
      '201_broken',
      `create table public.half (id int primary key);\n
insert into public.half
values (1),
  (1);`,
    ),
  );

  await expect(migrate(target.database, options(extra))).rejects.toMatchObject({
    code: 'SQL_FILE_FAILED',
    message:
      'sql/migrations/201_broken.sql:8: duplicate key value violates unique constraint "half_pkey"' +
      '\n  detail: Key (id)=(1) already exists.',
  });
  expect(await dumpSchema(target)).toBe(before);
  expect((await planOf(target, extra.files)).migrations.at(-1)?.state).toBe('pending');
});

test('a syntax error has the line of the word', async () => {
  const target = await createTestDatabase('migrated');
  const extra = withMigration(migration('201_typo', `select 1,\n  2\nfrm nowhere;`));

  await expect(migrate(target.database, options(extra))).rejects.toMatchObject({
    message: expect.stringMatching(/^sql\/migrations\/201_typo\.sql:8: syntax error/) as string,
  });
});

test('a file that is not one transaction is refused', async () => {
  const target = await createTestDatabase('migrated');
  const text = 'select 1;\ncommit;\nbegin;\nselect 2;\n';
  const extra = withMigration({ name: '201_x', path: 'sql/migrations/201_x.sql', text });

  await expect(migrate(target.database, options(extra))).rejects.toMatchObject({
    message:
      'sql/migrations/201_x.sql: expected one transaction, "begin;" first and "commit;" last, ' +
      'found another form',
  });
});

test('a file that does not record its version is refused and undone', async () => {
  const target = await createTestDatabase('migrated');
  const text = 'begin;\ncreate table public.stray ();\ncommit;\n';
  const extra = withMigration({ name: '201_x', path: 'sql/migrations/201_x.sql', text });

  await expect(migrate(target.database, options(extra))).rejects.toMatchObject({
    code: 'SQL_FILE_FAILED',
  });
  expect(await target.query(`select from pg_tables where tablename = 'stray'`)).toEqual([]);
});

test('a migration that waits for a writer rolls back and retries', async () => {
  const target = await createTestDatabase('migrated');
  const writer = await target.session();
  await writer.query('begin');
  await writer.query('lock table public.generic_files in row exclusive mode');
  const progress: string[] = [];
  const attempts = new EventEmitter();
  const oneFailed = once(attempts, 'failed');
  const running = migrate(
    target.database,
    options({
      ...withMigration(
        migration('201_lock', 'lock table public.generic_files in access exclusive mode;'),
      ),
      lockTimeoutMs: 50,
      onProgress: (message) => {
        progress.push(message);
        if (message.includes('trying again')) attempts.emit('failed');
      },
    }),
  );
  await oneFailed;
  await writer.query('commit');

  expect(await running).toEqual(['sql/migrations/201_lock.sql']);
  expect(progress[1]).toMatch(
    /canceling statement due to lock timeout \(55P03\); detail: process \d+ of role \w+ holds RowExclusiveLock on public\.generic_files, .*; trying again/,
  );
});

test('function bodies are replayed in one transaction when they changed, else left alone', async () => {
  const target = await createTestDatabase('migrated');
  const body = (result: number): SqlFile => ({
    name: 'probe',
    path: 'sql/functions/probe.sql',
    text: `create or replace function public.probe() returns int language sql as 'select ${result}';`,
  });
  const first = options({ files: { ...files, functions: [body(1)] } });
  const second = options({ files: { ...files, functions: [body(2)] } });
  const broken = { name: 'z', path: 'sql/functions/z.sql', text: 'create function nonsense;' };

  expect(await migrate(target.database, first)).toEqual(['sql/functions']);
  expect(await migrate(target.database, first)).toEqual([]);
  await expect(
    migrate(target.database, options({ files: { ...files, functions: [body(2), broken] } })),
  ).rejects.toMatchObject({ code: 'SQL_FILE_FAILED' });
  expect(await target.query('select public.probe() as result')).toEqual([{ result: 1 }]);
  expect(await migrate(target.database, second)).toEqual(['sql/functions']);
  expect(await target.query('select public.probe() as result')).toEqual([{ result: 2 }]);
});
