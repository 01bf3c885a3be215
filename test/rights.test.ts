import { expect, test } from 'vitest';
import { functionsKey, readPlan } from '../src/schema/plan.js';
import { printPending } from '../src/schema/print.js';
import { readScript, readSqlFiles } from '../src/schema/sql-files.js';
import { incrementalRights } from '../src/statistics/rights.js';
import { wrongFigures } from './exactness/truth.js';
import { writeOfEachTable } from './exactness/two-sessions.js';
import { findAllowed } from './support/attempt.js';
import {
  createLogin,
  createOwnedDatabase,
  createLegacyOwnedDatabase,
  migrateAs,
  rolesScript,
  type OwnedDatabase,
} from './support/owned-database.js';
import { runScript } from './support/run-script.js';
import type { TestDatabase } from './support/test-database.js';

const granted = incrementalRights.filter(({ object }) => object !== 'public');
const readable = granted.filter(({ kind }) => kind === 'table').map(({ object }) => object);
const executable = granted.filter(({ kind }) => kind === 'function').map(({ object }) => object);

interface Relation extends Record<string, unknown> {
  readonly name: string;
  readonly kind: string;
  readonly column: string;
}

/** Returns every table, view and sequence, with its last column. */
function relationsOf({ query }: TestDatabase): Promise<Relation[]> {
  return query<Relation>(
    `select
      format('%I.%I', nspname, relname) as name,
      relkind::text as kind,
      quote_ident(attname) as column
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_attribute on attrelid = pg_class.oid and attnum = relnatts
    where nspname in ('public', 'registry_stats') and relkind in ('r', 'v', 'm', 'S')
    order by 1`,
  );
}

/** Returns everything that can be done with a relation, by name. */
function attemptsOn({ name, kind, column }: Relation): Record<string, string> {
  const sequence = {
    'read on': `select last_value from ${name}`,
    'nextval of': `select nextval('${name}')`,
    'setval of': `select setval('${name}', 1)`,
    'restart of': `alter sequence ${name} restart`,
    'drop of': `drop sequence ${name}`,
  };
  const type = { v: 'view', m: 'materialized view' }[kind] ?? 'table';
  const table = {
    'select on': `select * from ${name} limit 1`,
    'select for update on': `select * from ${name} for update`,
    'insert on': `insert into ${name} default values`,
    'update on': `update ${name} set ${column} = ${column}`,
    'delete on': `delete from ${name}`,
    'truncate on': `truncate ${name}`,
    'copy from': `copy ${name} from '/dev/null'`,
    'merge on': `merge into ${name} as t using (select 1) as s on true when matched then delete`,
    'trigger on': `create trigger probe before insert on ${name} for each statement
      execute function suppress_redundant_updates_trigger()`,
    'rule on': `create rule probe as on insert to ${name} do instead nothing`,
    'index on': `create index on ${name} (${column})`,
    'policy on': `create policy probe on ${name}`,
    'lock on': `lock table ${name} in share row exclusive mode`,
    'refresh of': `refresh materialized view ${name}`,
    'comment on': `comment on ${type} ${name} is 'probe'`,
    'rename of': `alter ${type} ${name} rename to probe`,
    'owner of': `alter ${type} ${name} owner to current_user`,
    'drop of': `drop ${type} ${name}`,
  };
  return Object.fromEntries(
    Object.entries(kind === 'S' ? sequence : table).map(([what, text]) => [
      `${what} ${name}`,
      text,
    ]),
  );
}

test("the daemon's role reads only statistics and records, and writes no row", async () => {
  const { target, daemon } = await createOwnedDatabase();
  const relations = await relationsOf(target);
  const attempts = Object.assign({}, ...relations.map(attemptsOn)) as Record<string, string>;

  expect(relations.length).toBeGreaterThan(60);
  expect(await findAllowed(await daemon.session(), attempts)).toEqual(
    readable.map((name) => `select on ${name}`).sort(),
  );
  expect(
    // The planner's statistics contain values of rows.
    (
      await daemon.database.read<{ name: string }>(
        `select distinct schemaname || '.' || tablename as name from pg_stats
        where schemaname in ('public', 'registry_stats')`,
      )
    ).filter(({ name }) => !readable.includes(name)),
  ).toEqual([]);
});

test("the daemon's role can execute only the functions it needs", async () => {
  const { target, daemon } = await createOwnedDatabase();
  const functions = await target.query<{ name: string; call: string }>(
    `select
      pg_proc.oid::regprocedure::text as name,
      format(
        'select %I.%I(%s)', nspname, proname,
        (select string_agg('null::' || format_type(type, null), ', ') from unnest(proargtypes) as type)
      ) as call
    from pg_proc
    join pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ('public', 'registry_stats')
    order by 1`,
  );
  const attempts = Object.fromEntries(functions.map(({ name, call }) => [name, call]));
  const found = await findAllowed(await daemon.session(), attempts);

  expect(functions.length).toBeGreaterThan(40);
  expect(found.map((name) => name.replace(/: \w+$/, ''))).toEqual([...executable].sort());
});

test("by the catalog, the daemon's role has only the rights of sql/roles.sql", async () => {
  const { target, daemon, daemonRole } = await createOwnedDatabase();
  const nobody = await createLogin(target, 'nobody');
  const more = await target.query<{ found: string }>(
    `with relation as (
      select pg_class.oid, format('%s.%s', nspname, relname) as name, relkind
      from pg_class
      join pg_namespace on pg_namespace.oid = relnamespace
      where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    ),

    held as (
      select login, format('%s on %s', privilege, name) as found
      from unnest(array[$1, $2]) as login
      cross join relation
      cross join unnest(
        array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']
      ) as privilege
      where relkind <> 'S'
        and (
          has_table_privilege(login, relation.oid, privilege)
          or privilege in ('select', 'insert', 'update', 'references')
          and has_any_column_privilege(login, relation.oid, privilege)
        )
      union all
      select login, format('%s on %s', privilege, name)
      from unnest(array[$1, $2]) as login
      cross join relation
      cross join unnest(array['usage', 'select', 'update']) as privilege
      where relkind = 'S' and has_sequence_privilege(login, relation.oid, privilege)
      union all
      select login, 'execute on ' || pg_proc.oid::regprocedure::text
      from unnest(array[$1, $2]) as login
      cross join pg_proc
      where has_function_privilege(login, pg_proc.oid, 'execute')
      union all
      select login, format('%s on %s', privilege, nspname)
      from unnest(array[$1, $2]) as login
      cross join pg_namespace
      cross join unnest(array['usage', 'create']) as privilege
      where has_schema_privilege(login, pg_namespace.oid, privilege)
      union all
      select login, format('%s on %s', privilege, datname)
      from unnest(array[$1, $2]) as login
      cross join pg_database
      cross join unnest(array['connect', 'create', 'temporary']) as privilege
      where has_database_privilege(login, pg_database.oid, privilege)
      union all
      select login, format('%s on language %s', 'usage', lanname)
      from unnest(array[$1, $2]) as login
      cross join pg_language
      where has_language_privilege(login, pg_language.oid, 'usage')
      union all
      select login, 'member of ' || rolname
      from unnest(array[$1, $2]) as login
      cross join pg_roles
      where pg_has_role(login, pg_roles.oid, 'member') and rolname <> login
    )

    select found from held where login = $1
    except
    select found from held where login = $2
    order by 1`,
    [daemon.role, nobody.role],
  );

  expect(more.map(({ found }) => found)).toEqual(
    [
      ...granted.map(({ privilege, object }) => `${privilege} on ${object}`),
      `member of ${daemonRole}`,
    ].sort(),
  );
  // A grant option would only cause a warning, not a refusal.
  expect(
    await target.query(
      `select acl::text
      from (
        select relacl as acl from pg_class
        union all select proacl from pg_proc
        union all select nspacl from pg_namespace
      ) as object
      where exists (
        select from aclexplode(acl) as item
        where item.is_grantable and item.grantee = to_regrole($1)
      )`,
      [daemonRole],
    ),
  ).toEqual([]);
});

/** Other things a role could do. PostgreSQL allows the ones above the line to every role. */
function othersOf({ target, owner }: OwnedDatabase, ownersPid: number): Record<string, string> {
  return {
    'a temporary table': 'create temporary table probe (id int)',
    'a large object': 'select lo_create(0)',
    'an advisory lock': 'select pg_advisory_xact_lock(1)',
    'a notification': `notify probe, 'text'`,
    'an anonymous block': `do $$ begin perform 1; end $$`,
    'a setting of its own': `set local work_mem = '64MB'`,
    'a setting of its own role': `alter role current_user set work_mem = '64MB'`,
    'the names of roles': 'select from pg_roles',

    'a table in public': 'create table public.probe (id int)',
    'a table in registry_stats': 'create table registry_stats.probe (id int)',
    'a table in pg_catalog': 'create table pg_catalog.probe (id int)',
    'a view in public': 'create view public.probe as select 1',
    'a function in public': `create function public.probe() returns int language sql as 'select 1'`,
    'a function in registry_stats': `create function registry_stats.probe() returns int
      language sql as 'select 1'`,
    'an operator in public': `create operator public.=~= (leftarg = int, rightarg = int,
      function = int4eq)`,
    'a type in public': 'create type public.probe as (id int)',
    'a body of another': `create or replace function registry_stats.fold() returns bigint
      language sql as 'select 0::bigint'`,
    'a setting of a function': 'alter function registry_stats.run(text) reset search_path',
    'a right on a function': 'grant execute on function registry_stats.fold() to public',
    'a schema': 'create schema probe',
    'the drop of a schema': 'drop schema registry_stats cascade',
    'an extension': 'create extension pg_trgm',
    'an event trigger': `create event trigger probe on ddl_command_end
      execute function registry_stats.capture_truncate()`,
    'a publication': 'create publication probe for all tables',
    'a foreign data wrapper': 'create foreign data wrapper probe',
    'a cast': 'create cast (int as text) with inout',
    'a role': 'create role probe',
    'a member of the owner': `grant ${owner.role} to current_user`,
    'the role of the owner': `set role ${owner.role}`,
    'the session of the owner': `set session authorization ${owner.role}`,
    'the objects of the owner': `reassign owned by ${owner.role} to current_user`,
    'the drop of what the owner has': `drop owned by ${owner.role}`,
    'default privileges of the owner': `alter default privileges for role ${owner.role}
      grant all on tables to current_user`,
    'a setting of the owner': `alter role ${owner.role} set work_mem = '64MB'`,
    'the password of the owner': `alter role ${owner.role} password 'probe'`,
    'a setting of the database': `alter database ${target.name} set work_mem = '64MB'`,
    'writes without triggers': `set local session_replication_role = replica`,
    'the passwords': 'select * from pg_authid',
    'a file of the server': `select pg_read_file('postgresql.conf')`,
    'a folder of the server': `select pg_ls_dir('.')`,
    'the log of the server': 'select pg_ls_logdir()',
    'a copy to a file': `copy (select 1) to '/tmp/registry_stats_probe'`,
    'a copy to a program': `copy (select 1) to program 'true'`,
    'a copy from a program': `copy registry_stats.run from program 'true'`,
    'an import of a file': `select lo_import('/etc/passwd')`,
    'the end of a session of the owner': `select pg_terminate_backend(${ownersPid})`,
    'the cancel of a statement of the owner': `select pg_cancel_backend(${ownersPid})`,
    'a reload of the server': 'select pg_reload_conf()',
    'a rebuild that locks writers out': `select registry_stats.rebuild('work_items')`,
    'the definition of a trigger': `drop trigger registry_stats_insert on public.work_items`,
    'a disabled trigger': 'alter table public.work_items disable trigger all',
  };
}

test("apart from its jobs the daemon's role can do only what PostgreSQL allows every role", async () => {
  const owned = await createOwnedDatabase();
  const { processID } = (await owned.owner.session()) as unknown as { processID: number };
  const attempts = othersOf(owned, processID);
  const everybodys = Object.keys(attempts).slice(0, 8);

  const client = await owned.daemon.session();
  expect(await findAllowed(client, attempts)).toEqual(everybodys.sort());
  // Not possible in a transaction.
  for (const statement of ['create database probe', `alter system set work_mem = '64MB'`]) {
    await expect(client.query(statement)).rejects.toMatchObject({ code: '42501' });
  }
});

test("the daemon's functions accept no other table", async () => {
  const { daemon } = await createOwnedDatabase();
  const client = await daemon.session();
  for (const call of ['attach_capture', 'differences', 'rebuild']) {
    for (const table of ['users', 'institutions', 'schema_migrations', 'x; drop table y']) {
      await client.query('begin isolation level repeatable read');
      const asked = client.query(`select registry_stats.${call}($1)`, [table]);
      // Not declared: no such row, or no capture on it.
      await expect(asked).rejects.toMatchObject({
        code: expect.stringMatching(/^(22023|P0002|55000)$/) as string,
      });
      await client.query('rollback');
    }
  }
});

test('sql/roles.sql grants what the daemon checks, and can be run again', async () => {
  const { target, owner, daemonRole } = await createOwnedDatabase();
  const text = await rolesScript(daemonRole);
  const client = await owner.session();
  const rights = async (): Promise<unknown> =>
    target.query(
      `select relname, relacl::text from pg_class where relacl::text like '%' || $1 || '%'
      union all
      select proname, proacl::text from pg_proc where proacl::text like '%' || $1 || '%'
      order by 1, 2`,
      [daemonRole],
    );
  const before = await rights();
  await client.query(
    `revoke select on registry_stats.run, public.work_item_counts from ${daemonRole}`,
  );

  expect(await rights()).not.toEqual(before);
  expect(await runScript(client, text)).toEqual([]);
  expect(await rights()).toEqual(before);
  // Replayed functions keep their grants.
  await target.query(`delete from public.ar_internal_metadata where key = $1`, [functionsKey]);
  await migrateAs(owner);
  expect(await rights()).toEqual(before);
  expect(text).not.toMatch(/password\s+'/i);
});

test('an owner that may not create roles can grant to one that an administrator made', async () => {
  const { target, owner } = await createOwnedDatabase();
  const other = `${target.name}_other`;
  await target.query(`alter role ${owner.role} nocreaterole`);
  const client = await owner.session();
  const [refusal] = await runScript(client, await rolesScript(other));
  await client.query('rollback');
  expect(refusal).toContain('permission denied to create role');

  await target.query(`create role ${other} nologin`);
  expect(await runScript(client, await rolesScript(other))).toEqual([]);
  await target.query(`drop owned by ${other}; drop role ${other}`);
});

test('PUBLIC has no right in registry_stats, and each of our functions has a safe search_path', async () => {
  const { target } = await createOwnedDatabase();
  expect(
    await target.query(
      `select pg_proc.oid::regprocedure::text as function
      from pg_proc
      where pronamespace in ('public'::regnamespace, 'registry_stats'::regnamespace)
        and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)
      union all
      select pg_proc.oid::regprocedure::text
      from pg_proc
      cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
      where pronamespace = 'registry_stats'::regnamespace
        and acl.grantee = 0`,
    ),
  ).toEqual([]);
});

test('a role that does not own the tables cannot migrate; Registry calls its functions as before', async () => {
  const { target, owner } = await createLegacyOwnedDatabase();
  // As superuser, because the table owner could use its rights.
  await expect(migrateAs(target)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  const member = await createLogin(target, 'member', `in role ${owner.role}`);
  await expect(migrateAs(member)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  const client = await member.session();
  await expect(client.query(await readScript('assert_owner'))).rejects.toThrow(
    `by role ${owner.role}`,
  );
  await migrateAs(owner);
  await target.query(writeOfEachTable);
  const registry = await owner.session();
  const calls = [
    'public.update_counts()',
    'public.update_current_deposit_stats()',
    'public.populate_all_historical_deposit_stats()',
    `public.populate_historical_deposit_stats('2013-05-01'::date)`,
    'public.populate_empty_deposit_stats()',
  ];
  const answers: unknown[] = [];
  for (const call of calls) {
    const { rows } = await registry.query<{ answer: unknown }>(`select ${call} as answer`);
    answers.push(rows[0]?.answer);
  }

  expect(answers).toEqual([1, 1, '', 1, 1]);
  expect(await wrongFigures(target.query, 'public.')).toEqual([]);
});

test('explicit grants survive each migrate, with any default privileges', async () => {
  const { target, owner } = await createLegacyOwnedDatabase();
  const other = await createLogin(target, 'other');
  const daemonRole = `${target.name}_daemon`;
  const client = await owner.session();
  const registry = await owner.session();
  await target.query(`create role ${daemonRole}`);
  for (const grantee of [other.role, daemonRole]) {
    for (const [place, kind] of [
      ['', 'schemas'],
      ['', 'tables'],
      ['', 'functions'],
      ['in schema public', 'tables'],
    ]) {
      await client.query(
        `alter default privileges ${place ?? ''} grant all on ${kind ?? ''} to ${grantee}`,
      );
    }
  }
  const rights = (): Promise<unknown> =>
    target.query(
      `select object.name, acl.grantee::regrole::text, acl.privilege_type
      from (
        select nspname as name, nspacl as acl from pg_namespace where nspname = 'registry_stats'
        union all
        select oid::regclass::text, relacl from pg_class
        where relnamespace = 'registry_stats'::regnamespace
        union all
        select oid::regprocedure::text, proacl from pg_proc
        where pronamespace = 'registry_stats'::regnamespace
      ) as object
      cross join lateral aclexplode(object.acl) as acl
      where acl.grantee <> $1::regrole
      order by 1, 2, 3`,
      [owner.role],
    );
  await migrateAs(owner);
  const ofRegistry = await rights();
  expect(ofRegistry).toEqual([]);
  expect(await runScript(client, await rolesScript(daemonRole))).toEqual([]);
  const before = await rights();
  expect(before).not.toEqual(ofRegistry);

  const files = await readSqlFiles();
  const replays = [
    () => migrateAs(owner),
    async () => {
      const plan = await readPlan((text, values) => owner.database.read(text, values), files);
      expect(await runScript(client, await printPending(plan, files))).toEqual([]);
    },
    // Each in its own transaction.
    async () => {
      for (const { text } of [...files.migrations.slice(1), ...files.functions.slice(-1)]) {
        expect(await runScript(client, text)).toEqual([]);
      }
    },
  ];
  for (const replay of replays) {
    await target.query(`delete from public.ar_internal_metadata where key = $1`, [functionsKey]);
    await replay();
    expect(await rights()).toEqual(before);
    await target.query(writeOfEachTable.replaceAll(/'new' \|\| n/g, 'gen_random_uuid()'));
    const { rows } = await registry.query(
      'select public.update_counts() as counts, public.update_current_deposit_stats() as deposits',
    );
    expect(rows).toEqual([{ counts: 1, deposits: 1 }]);
  }
  await target.query(`drop owned by ${daemonRole}`);
  await target.query(`drop role ${daemonRole}`);
});
