import type { TestDatabase } from './test-database.js';

/**
 * Creates a schema `hostile` with a trap for every function, operator and relation of PostgreSQL,
 * Registry and ours, and for some types. Roles with it first in their search_path call them. A trap
 * fails, and counts itself despite a rollback.
 */
export async function createHostileSchema(
  { query }: Pick<TestDatabase, 'query'>,
  victims: readonly string[],
): Promise<void> {
  await query('create schema hostile');
  await query('create sequence hostile.sprung');
  await query(makeFunctions);
  await query(makeOperators);
  await query(makeRelations);
  await query(makeTypes);
  await query(`grant usage on schema hostile to public`);
  await query(`grant all on all tables in schema hostile to public`);
  await query(`grant all on all sequences in schema hostile to public`);
  for (const role of victims) {
    await query(`alter role ${role} set search_path = hostile, pg_catalog, public, registry_stats`);
  }
}

/** Returns how many traps were called. */
export async function countSprung({ query }: Pick<TestDatabase, 'query'>): Promise<number> {
  const [row] = await query<{ sprung: number }>(
    `select case when is_called then last_value else 0 end::int as sprung from hostile.sprung`,
  );
  return row?.sprung ?? -1;
}

const trap = `begin
  perform pg_catalog.nextval('hostile.sprung'::pg_catalog.regclass);
  raise exception 'hostile';
end`;

/**
 * An aggregate's call also finds an ordinary function. An exact match catches arguments of type
 * "any".
 */
const makeFunctions = `
do $do$
declare
  v_function text;
begin
  for v_function in
    select format(
      'hostile.%I(%s) returns %s', proname,
      (
        select string_agg(format_type(type, null), ', ' order by place)
        from unnest(proargtypes) with ordinality as argument (type, place)
      ),
      format_type(prorettype, null)
    )
    from pg_proc
    where pronamespace = 'pg_catalog'::regnamespace
      and not proretset
      and provariadic = 0
      and not exists (
        select from pg_type
        where (pg_type.oid = prorettype or pg_type.oid = any (proargtypes)) and typtype = 'p'
      )
    union all
    select 'hostile.' || signature
    from unnest(array[
      'array_agg(text) returns text[]',
      'array_agg(name) returns name[]',
      'array_position(text[], text) returns int',
      'cardinality(text[]) returns int',
      'concat_ws(text, text, text) returns text',
      'count(date) returns bigint',
      'count(int) returns bigint',
      'format(text, name) returns text',
      'format(text, text) returns text',
      'format(text, name, name) returns text',
      'format(text, text, text) returns text',
      'format(text, text, name) returns text',
      'unnest(text[]) returns text'
    ]) as signature
  loop
    execute format('create function %s language plpgsql as %L', v_function, $trap$${trap}$trap$);
  end loop;
end
$do$`;

const makeOperators = `
do $do$
declare
  v_operator text;
begin
  for v_operator in
    select format(
      'create operator hostile.%s (function = hostile.%I, %s rightarg = %s)', oprname, proname,
      'leftarg = ' || format_type(nullif(oprleft, 0), null) || ',',
      format_type(oprright, null)
    )
    from pg_operator
    join pg_proc on pg_proc.oid = oprcode
    where oprnamespace = 'pg_catalog'::regnamespace
      and to_regprocedure(
        format('hostile.%I(%s)', proname, concat_ws(
          ', ', format_type(nullif(oprleft, 0), null), format_type(oprright, null)
        ))
      ) is not null
  loop
    execute v_operator;
  end loop;
end
$do$`;

const makeRelations = `
do $do$
declare
  v_name text;
begin
  for v_name in
    select distinct relname from pg_class
    where relkind in ('r', 'v', 'm')
      and relnamespace in (
        select oid from pg_namespace where nspname in ('pg_catalog', 'public', 'registry_stats')
      )
    union
    select unnest(array['delta', 'job', 'run', 'source', 'view', 'count_rollup', 'deposit_rollup'])
  loop
    execute format('create table hostile.%I (hostile int)', v_name);
  end loop;
end
$do$`;

const makeTypes = `
do $do$
declare
  v_name text;
begin
  foreach v_name in array array['text', 'name', 'date', 'timestamptz', 'regclass', 'oid'] loop
    execute format('create domain hostile.%I as pg_catalog.%I check (false)', v_name, v_name);
  end loop;
end
$do$`;
