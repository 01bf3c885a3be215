import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createTestDatabase } from './support/test-database.js';

// The lists in golden/registry are from the catalog of a live Registry. sql/schema and migration
// 001 must create the same rows, and our migrations must keep them.
const catalog = {
  columns: `
    select
      relname as relation,
      case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end as kind,
      attnum as position,
      attname as column,
      format_type(atttypid, atttypmod) as type,
      attnotnull as not_null,
      pg_get_expr(adbin, adrelid) as default
    from pg_class
    join pg_attribute on attrelid = pg_class.oid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relnamespace = 'public'::regnamespace
      and relkind in ('r', 'p', 'v', 'm')
      and attnum > 0
      and not attisdropped`,
  indexes: `
    select
      indrelid::regclass::text as table,
      indexrelid::regclass::text as index,
      indisunique as is_unique,
      indisprimary as is_primary,
      (
        select string_agg(
          pg_get_indexdef(indexrelid, place::int, true)
            -- The bits are "descending" and "nulls first"; nulls come first where it descends.
            || case indoption[place - 1]
              when 0 then '' when 1 then ' desc nulls last' when 2 then ' nulls first'
              else ' desc'
            end,
          ', ' order by place
        )
        from generate_series(1, indnkeyatts) as place
      ) as columns,
      pg_get_expr(indpred, indrelid) as predicate
    from pg_index
    join pg_class on pg_class.oid = indrelid
    where relnamespace = 'public'::regnamespace`,
  constraints: `
    select
      conrelid::regclass::text as table,
      conname as name,
      case contype when 'p' then 'primary key' when 'f' then 'foreign key' else contype::text end
        as type,
      pg_get_constraintdef(oid) as definition
    from pg_constraint
    -- From PostgreSQL 18 on, "not null" is a constraint too: the columns have it.
    where connamespace = 'public'::regnamespace and contype <> 'n'`,
};

type List = keyof typeof catalog;
const lists = Object.keys(catalog) as List[];

async function readList(list: List): Promise<string[]> {
  const text = await readFile(new URL(`golden/registry/${list}.csv`, import.meta.url), 'utf8');
  return text.trimEnd().split('\n');
}

type Value = string | number | boolean | null;

function csvLine(values: readonly Value[]): string {
  return values.map(csvField).join(',');
}

function csvField(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  const text = String(value);
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

test.each(
  (['baseline', 'migrated'] as const).flatMap((kind) => lists.map((list) => ({ kind, list }))),
)('the $list of a $kind database are those of a live Registry', async ({ kind, list }) => {
  const target = await createTestDatabase(kind);
  const rows = await target.query<Record<string, Value>>(catalog[list]);
  const found = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].map(csvLine);
  const expected = await readList(list);

  expect({
    'live, but not made here': expected.filter((line) => !found.includes(line)),
    'made here, but not live': found.filter((line) => !expected.includes(line)).sort(),
  }).toEqual({ 'live, but not made here': [], 'made here, but not live': [] });
  expect(found).toHaveLength(expected.length);
});
