import { AppError } from '../errors.js';
import { materializedViews } from '../migrations/registry-objects.js';
import { jobs } from '../jobs/job.js';
import type { Database } from '../db/database.js';

interface Finding extends Record<string, unknown> {
  kind: 'missing' | 'right';
  what: string;
}

/**
 * Looks whether the jobs can work at all: the functions and views are there, and the role may do
 * what they need. Names everything that is wanting at once.
 * @throws AppError DATABASE_NOT_MIGRATED or PERMISSION_DENIED
 */
export async function preflight(database: Database): Promise<void> {
  const findings = (await mayUseSchema(database))
    ? await database.read<Finding>(plainQuery, [
        jobs.map(({ name }) => `public.${name}()`),
        materializedViews.map((view) => `public.${view}`),
      ])
    : [{ kind: 'right' as const, what: 'usage on schema registry_stats' }];
  const { name, user } = database.options.connection;
  const missing = findings.filter(({ kind }) => kind === 'missing').map(({ what }) => what);
  if (missing.length > 0) {
    throw new AppError(
      'DATABASE_NOT_MIGRATED',
      `expected the statistics in database "${name}", missing: ${missing.join(', ')}`,
      { hint: 'run `registry-stats migrate`, or check DB_NAME' },
    );
  }
  const rights = findings.map(({ what }) => what);
  if (rights.length > 0) {
    throw new AppError(
      'PERMISSION_DENIED',
      `expected role "${user}" to be able to run the jobs, it lacks: ${rights.join(', ')}`,
      { hint: 'connect as the role that owns the views, or grant it to this one' },
    );
  }
}

/** True also where there is no such schema: then the plain statistics are used. */
async function mayUseSchema(database: Database): Promise<boolean> {
  const [row] = await database.read<{ may: boolean }>(
    `select coalesce(
      pg_catalog.has_schema_privilege(pg_catalog.to_regnamespace('registry_stats'), 'usage'),
      true
    ) as may`,
  );
  return row?.may === true;
}

/** A view may be refreshed by its owner, or from PostgreSQL 17 on with the right MAINTAIN. */
const plainQuery = `
  with wanted_function as (
    select signature, pg_catalog.to_regprocedure(signature) as id
    from pg_catalog.unnest($1::text[]) as signature
  ),

  wanted_view as (
    select name, pg_catalog.to_regclass(name) as id
    from pg_catalog.unnest($2::text[]) as name
  ),

  wanted_table as (
    select name, privilege, pg_catalog.to_regclass(name) as id
    from (
      values
        ('public.ar_internal_metadata', 'select'),
        ('public.ar_internal_metadata', 'insert'),
        ('public.ar_internal_metadata', 'update'),
        ('public.historical_deposit_stats', 'select'),
        ('public.historical_deposit_stats', 'insert')
    ) as wanted (name, privilege)
  )

  select 'missing' as kind, signature as what from wanted_function where id is null
  union all
  select 'missing', name from wanted_view where id is null
  union all
  select distinct 'missing', name from wanted_table where id is null
  union all
  select 'right', 'execute on ' || signature
  from wanted_function
  where not pg_catalog.has_function_privilege(id, 'execute')
  union all
  select 'right', privilege || ' on ' || name
  from wanted_table
  where not pg_catalog.has_table_privilege(id, privilege)
  union all
  select 'right', 'refresh of ' || name || ' (owner: ' || pg_catalog.pg_get_userbyid(relowner) || ')'
  from wanted_view
  join pg_catalog.pg_class on pg_class.oid = wanted_view.id
  where not pg_catalog.pg_has_role(relowner, 'usage')
    and not case
      when pg_catalog.current_setting('server_version_num')::int >= 170000
        then pg_catalog.has_table_privilege(wanted_view.id, 'maintain')
      else false
    end`;
