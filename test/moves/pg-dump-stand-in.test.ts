import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { upToDate } from '../exactness/two-sessions.js';
import { moveBySql } from '../support/pg-dump-stand-in.js';
import { hasTools, runTool } from '../support/postgres-tools.js';
import { temporaryDirectory } from '../support/program.js';
import { dumpSchema } from '../support/schema-dump.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';

test('the stand-in for pg_dump omits nothing', async () => {
  const from = await upToDate();
  await from.query(oddTable);
  const to = await createTestDatabase('empty');
  await moveBySql(from.name, to.name, inject('server'), { dump: 3, restore: 3 });

  expect(await dumpSchema(to)).toBe(await dumpSchema(from));
  expect(await rowsOf(to)).toEqual(await rowsOf(from));
  if (await hasTools(from)) expect(await scriptOf(to)).toBe(await scriptOf(from));
});

/** Features that Registry's tables do not use. */
const oddTable = `
  create unlogged table public.odd (
    "A b" int generated always as identity,
    next int generated always as (size + 1) stored,
    size int default 7 check (size > 0),
    name text collate "C" unique,
    ratio float8,
    bytes bytea
  ) with (fillfactor = 50);
  comment on column public.odd.name is 'It''s odd.';
  insert into public.odd (name, ratio, bytes) values (E'a\\tb\\\\n', 0.1, 'xyz'), (null, 'nan', null)`;

/** Returns a hash of each table's rows and of each sequence's state. */
async function rowsOf({ query }: TestDatabase): Promise<Record<string, unknown>> {
  const relations = await query<{ name: string; sorted: string }>(
    `select
      oid::regclass::text as name,
      case relkind when 'S' then 'last_value::text || is_called' else 'row_to_json(found)::text' end
        as sorted
    from pg_class
    where relkind in ('r', 'S')
      and relnamespace in ('public'::regnamespace, 'registry_stats'::regnamespace)`,
  );
  const rows: Record<string, unknown> = {};
  for (const { name, sorted } of relations) {
    rows[name] = await query(
      `select count(*), md5(string_agg(${sorted}, ' ' order by ${sorted})) from ${name} as found`,
    );
  }
  return rows;
}

/** Returns pg_dump's script. The key in its meta-commands is random. */
async function scriptOf({ name }: TestDatabase): Promise<string> {
  const file = path.join(await temporaryDirectory(), 'dump.sql');
  await runTool('pg_dump', ['--no-owner', '--no-privileges', `--file=${file}`], name);
  return (await readFile(file, 'utf8')).replace(/^\\(un)?restrict .*$/gm, '');
}
