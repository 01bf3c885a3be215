import { expect, test } from 'vitest';
import { splitStatements } from '../src/schema/split-statements.js';
import { migrate } from '../src/schema/migrate.js';
import { readScript, readSqlFiles } from '../src/schema/sql-files.js';
import { uninstall } from '../src/schema/uninstall.js';
import { verify } from '../src/statistics/verify.js';
import { loadCsv } from './support/load-csv.js';
import { runEachJob } from './support/run-each-job.js';
import { runScript } from './support/run-script.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';
import { migrateQuietly } from './support/migrate-options.js';

const files = await readSqlFiles();
const options = {
  files,
  ...migrateQuietly,
};

const shownColumns = {
  premis_event_counts: 'institution_id, row_count, event_type, outcome',
  intellectual_object_counts: 'institution_id, row_count, state',
  generic_file_counts: 'institution_id, row_count, state',
  work_item_counts: 'institution_id, row_count, action',
  current_deposit_stats:
    'institution_id, member_institution_id, institution_name, storage_option, file_count, ' +
    'object_count, total_bytes, total_gb, total_tb, cost_gb_per_month, monthly_cost, ' +
    'primary_sort, secondary_sort',
  historical_deposit_stats: '*',
};

/** Returns a block that ends after the first table, as if it had been stopped. */
function firstTable(block: string): string {
  const order = /order by (found\.)?name/;
  expect(block.split(order)).toHaveLength(3);
  return block.replace(order, '$& limit 1');
}

/** Returns everything that Registry reads, without refresh times. */
async function figures({ query }: TestDatabase): Promise<Record<string, unknown[]>> {
  const result: Record<string, unknown[]> = {};
  for (const [name, columns] of Object.entries(shownColumns)) {
    const rows = await query<{ row: string }>(
      `select shown::text as row from (select ${columns} from public.${name}) as shown
      order by 1`,
    );
    result[name] = rows.map(({ row }) => row);
  }
  return result;
}

/**
 * Returns what a page of Registry could notice: columns, types, indexes, owner, grants, comments.
 */
async function publicObjects({ query }: TestDatabase): Promise<unknown[]> {
  return query(
    `select
      relname,
      relkind,
      pg_get_userbyid(relowner) as owner,
      relacl::text as grants,
      obj_description(pg_class.oid) as comment,
      (
        select array_agg(format('%s %s', attname, format_type(atttypid, atttypmod)) order by attnum)
        from pg_attribute where attrelid = pg_class.oid and attnum > 0
      ) as columns,
      (
        select array_agg(pg_get_indexdef(indexrelid) order by indexrelid::regclass::text)
        from pg_index where indrelid = pg_class.oid
      ) as indexes
    from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm')
    order by relname`,
  );
}

test('the upgrade changes no figure, and nothing that a page of Registry could notice', async () => {
  const target = await createTestDatabase('baseline');
  const role = `${target.name}_reader`;
  await loadCsv(target.database);
  await target.query(`create role ${role}`);
  await target.query(`grant select on public.current_deposit_stats to ${role} with grant option`);
  await target.query('grant select on public.generic_file_counts to public');
  await runEachJob(target.database);
  const before = { figures: await figures(target), objects: await publicObjects(target) };
  await migrate(target.database, options);

  expect(await figures(target)).toEqual(before.figures);
  expect(await publicObjects(target)).toEqual(before.objects);
  expect((await verify(target.database)).differences).toEqual([]);
  await uninstall(target.database, { ...options, migrations: files.migrations });
  expect(await figures(target)).toEqual(before.figures);
  expect(await publicObjects(target)).toEqual(before.objects);
  await target.query(`drop owned by ${role}`);
  await target.query(`drop role ${role}`);
});

test('a new install has the same figures as an upgrade', async () => {
  const upgraded = await createTestDatabase('baseline');
  const installed = await createTestDatabase('migrated');
  for (const target of [upgraded, installed]) await loadCsv(target.database);
  await runEachJob(upgraded.database);
  await migrate(upgraded.database, options);
  await runEachJob(upgraded.database);
  await runEachJob(installed.database);

  expect(await figures(installed)).toEqual(await figures(upgraded));
});

test('an upgrade that stops after any step continues from there and completes', async () => {
  const finished = await createTestDatabase('baseline');
  await loadCsv(finished.database);
  await runEachJob(finished.database);
  await migrate(finished.database, options);
  const truth = await figures(finished);
  const [triggers = '', scans = '', ...swap] = splitStatements(await readScript('activate')).map(
    ({ text }) => text,
  );
  expect(triggers).toContain('attach_capture');
  expect(scans).toContain('rebuild');
  expect(swap.join('; ')).toMatch(/^begin; .*swap_views\(\); commit$/);

  const stops: Record<string, readonly string[]> = {
    'before any step': [],
    'after the triggers of one table': [firstTable(triggers)],
    'after all triggers': [triggers],
    'after the scan of one table': [triggers, firstTable(scans)],
    'after all scans': [triggers, scans],
    'before the swap is committed': [triggers, scans, ...swap.slice(0, -1)],
    'after the swap': [triggers, scans, ...swap],
  };
  for (const [stop, steps] of Object.entries(stops)) {
    const target = await createTestDatabase('baseline');
    await loadCsv(target.database);
    await runEachJob(target.database);
    await migrate(target.database, { ...options, files: { ...files, functions: [] } });
    const psql = await target.session();
    await psql.query('set check_function_bodies = off');
    for (const { text } of files.functions) expect(await runScript(psql, text)).toEqual([]);
    for (const step of steps) expect(await runScript(psql, step), stop).toEqual([]);
    await psql.end();
    // Registry's own calls run in between.
    await target.query('select public.update_counts(), public.update_current_deposit_stats()');
    await target.query(`update public.work_items set action = action`);
    await migrate(target.database, options);
    await runEachJob(target.database);

    expect(await figures(target), `stopped ${stop}`).toEqual(truth);
    expect((await verify(target.database)).differences).toEqual([]);
  }
});

test('readers and writers continue during the upgrade without an error, and no change is lost', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  await runEachJob(target.database);
  const stop = new AbortController();
  const loop = async (work: (turn: number) => Promise<unknown>): Promise<number> => {
    let turn = 0;
    while (!stop.signal.aborted) await work(++turn);
    return turn;
  };
  const reader = await target.session();
  const oldReader = await target.session();
  await oldReader.query('begin isolation level repeatable read');
  const [shown] = (
    await oldReader.query('select count(*) as rows from public.current_deposit_stats')
  ).rows as { rows: string }[];
  await oldReader.query('commit');
  const writers = await Promise.all([target.session(), target.session()]);
  const working = [
    loop(() => reader.query({ name: 'page', text: 'select * from public.current_deposit_stats' })),
    loop(async () => {
      await oldReader.query('begin isolation level repeatable read');
      const { rows } = await oldReader.query('select from public.generic_file_counts');
      expect(rows.length).toBeGreaterThan(0);
      await oldReader.query('commit');
    }),
    ...writers.map((writer, index) =>
      loop((turn) =>
        writer.query(
          `insert into public.generic_files
            (identifier, size, state, institution_id, intellectual_object_id, uuid, created_at, updated_at)
          values ($1, 1, 'A', 1, 1, $1, now(), now())`,
          [`writer ${index} ${turn}`],
        ),
      ),
    ),
  ];
  await migrate(target.database, options);
  stop.abort();
  const turns = await Promise.all(working);
  await runEachJob(target.database);

  expect(Number(shown?.rows)).toBeGreaterThan(0);
  expect(Math.min(...turns)).toBeGreaterThan(3);
  expect((await verify(target.database)).differences).toEqual([]);
  expect(
    await target.query(
      `select file_count = (select count(*) from public.generic_files where state = 'A') as is_exact
      from public.current_deposit_stats
      where institution_id is null and storage_option = 'Total'`,
    ),
  ).toEqual([{ is_exact: true }]);
});

test('the objects of registry_stats have primary keys, comments, safe functions and no rights for PUBLIC', async () => {
  const { query } = await createTestDatabase('migrated');

  expect(
    await query(
      `select relname from pg_class
      where relnamespace = 'registry_stats'::regnamespace and relkind = 'r'
        and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)`,
    ),
  ).toEqual([]);
  expect(
    await query(
      `select relname, attname from pg_class
      left join pg_attribute on attrelid = pg_class.oid and attnum > 0 and relkind = 'r'
      where relnamespace = 'registry_stats'::regnamespace and relkind in ('r', 'v')
        and (
          obj_description(pg_class.oid) is null
          or attname is not null and col_description(pg_class.oid, attnum) is null
        )`,
    ),
  ).toEqual([]);
  expect(
    await query(`select nspacl::text as grants from pg_namespace where nspname = 'registry_stats'`),
  ).toEqual([{ grants: null }]);
});
