import { expect, test } from 'vitest';
import { createLegacyOwnedDatabase, createOwnedDatabase } from '../support/owned-database.js';
import { runCommand, type Environment } from '../support/program.js';
import { databaseWithRows } from '../support/runs.js';
import { dumpSchema } from '../support/schema-dump.js';
import { loadCsv } from '../support/load-csv.js';
import { createTestDatabase } from '../support/test-database.js';

const live = { APT_ENV: 'staging', SSM_PATH: 'none', DB_USE_SSL: 'false' };

/** Each returns an environment in which `migrate` refuses, and what it says. */
const refusals: readonly [what: string, message: RegExp, make: () => Promise<Environment>][] = [
  [
    'an empty database in a live environment',
    /NOT_REGISTRY: expected a Registry database, found none of its tables/,
    async () => ({ ...(await createTestDatabase('empty')).env, ...live }),
  ],
  [
    'a database with some tables of Registry',
    /NOT_REGISTRY: expected all 8 tables that the statistics need, or no table of Registry/,
    async () => {
      const target = await createTestDatabase('empty');
      await target.query('create table public.generic_files (id bigint)');
      return target.env;
    },
  ],
  [
    'a role that does not own the tables',
    /PERMISSION_DENIED: expected to migrate as role "\w+", who owns public\./,
    async () => (await createOwnedDatabase()).daemon.env,
  ],
  [
    'a role that may create nothing',
    /PERMISSION_DENIED: expected role "\w+" to be able to create objects in schema public and in database \w+; it lacks CREATE there\n {2}hint: grant create on schema public to "\w+"; grant create on database \w+ to "\w+";\n$/,
    async () => {
      const { target, owner } = await createLegacyOwnedDatabase();
      await target.query(`revoke create on database ${target.name} from ${owner.role}`);
      await target.query(`revoke create on schema public from ${owner.role}`);
      return owner.env;
    },
  ],
  [
    'maintenance',
    /MAINTENANCE_MODE: MAINTENANCE_MODE is true: writes are refused/,
    async () => ({ ...(await databaseWithRows()).env, MAINTENANCE_MODE: 'true' }),
  ],
  [
    'a read-only server',
    /DATABASE_READ_ONLY: expected PostgreSQL at .* to take writes/,
    async () => {
      const target = await createTestDatabase('baseline');
      await target.query(`alter database ${target.name} set default_transaction_read_only = on`);
      return target.env;
    },
  ],
  [
    'a view of others on a view that ours would replace',
    /DEPENDENT_OBJECTS: other objects depend on the views: public\.work_item_counts is read by public\.report/,
    async () => {
      const target = await createTestDatabase('baseline');
      await target.query('create view public.report as select * from public.work_item_counts');
      return target.env;
    },
  ],
  [
    'a database that does not exist',
    /DATABASE_REFUSED: .*does not exist/,
    async () => ({ ...(await createTestDatabase('empty')).env, DB_NAME: 'no_such_database' }),
  ],
];

test.each(refusals)(
  'migrate --status and --dry-run refuse %s exactly as migrate does, which changes nothing',
  async (_what, message, make) => {
    const env = await make();
    const refused = await runCommand(['migrate'], { env });
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringMatching(message) as string });
    expect(refused.code).not.toBe(0);
    for (const option of ['--status', '--dry-run']) {
      expect(await runCommand(['migrate', option], { env })).toEqual(refused);
    }
  },
);

test('migrate refuses a dependent view before it installs anything', async () => {
  const target = await createTestDatabase('baseline');
  await target.query('create view public.report as select * from public.generic_file_counts');
  const before = await dumpSchema(target);
  expect((await runCommand(['migrate'], { env: target.env })).code).toBe(7);
  expect(await dumpSchema(target)).toBe(before);
});

test('migrate refuses sample data in a live environment before it migrates', async () => {
  const target = await createTestDatabase('baseline');
  const before = await dumpSchema(target);
  const { code, stderr } = await runCommand(['migrate', '--sample-data'], {
    env: { ...target.env, ...live },
  });
  expect({ code, stderr }).toEqual({
    code: 7,
    stderr:
      'registry-stats: SAMPLE_DATA_REFUSED: expected an environment for development, found APT_ENV staging\n',
  });
  expect(await dumpSchema(target)).toBe(before);
});

const noTerminal =
  /\nregistry-stats: NOT_CONFIRMED: expected --yes, found no terminal to ask on\n {2}hint: nothing was changed; add --yes if this may be lost\n$/;

test.each([
  ['reset', /^reset drops 33 tables of Registry with all rows \(\d+ kB\), and all statistics, in /],
  ['uninstall', /^uninstall changes database "\w+" on [^]*drops schema registry_stats: /],
  [
    'rebuild history --since 2014-01-01',
    /^rebuild history replaces \d+ months, 2014-01-01 to \d{4}-\d\d-01, with \d+ rows\. /,
  ],
])('%s says what is lost, and without a terminal and --yes changes nothing', async (line, loss) => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const { env } = target;
  expect((await runCommand(['refresh'], { env })).code).toBe(0);
  await target.query(`update public.historical_deposit_stats set monthly_cost = 0`);
  const state = async () => [
    await dumpSchema(target),
    await target.query('select sum(monthly_cost), count(*) from public.historical_deposit_stats'),
    await target.query('select count(*) from public.generic_files'),
  ];
  const before = await state();

  const { code, stdout, stderr } = await runCommand(line.split(' '), { env });
  expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
  expect(stderr).toMatch(loss);
  expect(stderr).toMatch(noTerminal);

  const dry = await runCommand([...line.split(' '), '--dry-run'], { env });
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).not.toBe('');
  expect(await state()).toEqual(before);

  expect(await runCommand([...line.split(' '), '--yes'], { env })).toMatchObject({ code: 0 });
  expect(await state()).not.toEqual(before);
});

test('--yes does not replace the name of a database that looks live', async () => {
  const target = await createTestDatabase('baseline');
  await target.query('create table public.precious as select 1 as id');
  const { code, stderr } = await runCommand(['reset', '--yes'], { env: target.env });
  expect(code).toBe(7);
  expect(stderr).toContain('found tables that are not ours: public.precious');
});

test('reset refuses fixtures before it asks, and asks nothing in an empty database', async () => {
  const target = await createTestDatabase('empty');
  const { env } = target;
  const wrong = await runCommand(['reset', '--fixtures', '/no/such/folder'], { env });
  expect(wrong).toMatchObject({
    code: 10,
    stderr: 'registry-stats: FIXTURE_INVALID: /no/such/folder: expected a folder of CSV files\n',
  });
  expect((await runCommand(['reset', '--dry-run'], { env })).stdout).toBe(
    'nothing would be lost: the database has no table of Registry\n',
  );
  expect(await runCommand(['reset'], { env })).toMatchObject({ code: 0 });
});

test('reset says that another process uses the database', async () => {
  const target = await createTestDatabase('baseline');
  const other = await target.session();
  await other.query(`set application_name = 'registry-stats'`);
  const { code, stderr } = await runCommand(['reset'], { env: target.env });
  expect(code).toBe(7);
  expect(stderr).toContain('Another process uses this database now, such as a running daemon');
});
