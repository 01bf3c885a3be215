import { AppError } from '../errors.js';
import type { Database } from '../db/database.js';
import { isIncremental } from './installation.js';
import { incrementalRights, plainRights, type Right } from './rights.js';

/** An object that is not there, or a right that the role lacks and the statement that gives it. */
interface Finding extends Record<string, unknown> {
  isMissing: boolean;
  what: string;
  remedy: string;
}

/**
 * Looks whether the jobs can work at all, in the way that the database is ready for: the objects are
 * there, and the role may do what it needs. Names everything that is wanting at once.
 * @throws AppError DATABASE_NOT_MIGRATED or PERMISSION_DENIED
 */
export async function preflight(database: Database): Promise<void> {
  const findings = await findWanting(database, await neededRights(database));
  const { name, user } = database.options.connection;
  const missing = findings.filter(({ isMissing }) => isMissing).map(({ what }) => what);
  if (missing.length > 0) {
    throw new AppError(
      'DATABASE_NOT_MIGRATED',
      `expected the statistics in database "${name}", missing: ${[...new Set(missing)].join(', ')}`,
      { hint: 'run `registry-stats migrate`, or check DB_NAME' },
    );
  }
  if (findings.length > 0) {
    const lacked = findings.map(({ what }) => what).join(', ');
    throw new AppError(
      'PERMISSION_DENIED',
      `expected role "${user}" to be able to run the jobs, it lacks: ${lacked}`,
      { hint: [...new Set(findings.map(({ remedy }) => `${remedy};`))].join(' ') },
    );
  }
}

/** Where the state may not be read it is taken for incremental: then the rights to do so are named. */
async function neededRights(database: Database): Promise<readonly Right[]> {
  const [state] = await database.read<{ mayRead: boolean }>(
    `select
      pg_catalog.has_schema_privilege(relnamespace, 'usage')
        and pg_catalog.has_table_privilege(pg_class.oid, 'select') as "mayRead"
    from pg_catalog.pg_class
    join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
    where nspname = 'registry_stats'
      and relname = 'view'`,
  );
  if (state === undefined) return plainRights;
  return !state.mayRead || (await isIncremental(database)) ? incrementalRights : plainRights;
}

function findWanting(database: Database, needed: readonly Right[]): Promise<Finding[]> {
  return database.read<Finding>(wantingQuery, [
    needed.map(({ kind }) => kind),
    needed.map(({ privilege }) => privilege),
    needed.map(({ object }) => object),
  ]);
}

// By the catalog: to look a name up, as a regclass, takes rights on its schema. A right MAINTAIN
// exists from PostgreSQL 17 on; before, only a member of the owner's role may refresh.
const wantingQuery = `
  with needed as (
    select kind, privilege, object, place
    from unnest($1::text[], $2::text[], $3::text[]) with ordinality
      as needed (kind, privilege, object, place)
  ),

  present as (
    select 'schema' as kind, nspname::text as object, oid, null::oid as owner from pg_namespace
    union all
    select
      kind.name,
      format('%s.%s', nspname, relname),
      pg_class.oid,
      case kind.name when 'view' then relowner end
    from pg_class
    join pg_namespace on pg_namespace.oid = relnamespace
    cross join (values ('table'), ('view')) as kind (name)
    where nspname in ('public', 'registry_stats')
    union all
    select 'function', pg_proc.oid::regprocedure::text, pg_proc.oid, null
    from pg_proc
    join pg_namespace on pg_namespace.oid = pronamespace
    where nspname in ('public', 'registry_stats')
  ),

  found as (
    select
      needed.*,
      present.oid,
      present.owner,
      case
        when present.oid is null then false
        when needed.kind = 'schema' then has_schema_privilege(present.oid, privilege)
        when needed.kind = 'function' then has_function_privilege(present.oid, privilege)
        when needed.kind = 'table' then has_table_privilege(present.oid, privilege)
        when pg_has_role(present.owner, 'usage') then true
        when current_setting('server_version_num')::int < 170000 then false
        else has_table_privilege(present.oid, privilege)
      end as may
    from needed
    left join present
      on present.kind = needed.kind
      and present.object = needed.object
  )

  select
    oid is null as "isMissing",
    case
      when oid is null then object
      when owner is not null
        then format('refresh of %s (owner: %s)', object, pg_get_userbyid(owner))
      when kind = 'table' then format('%s on %s', privilege, object)
      else format('%s on %s %s', privilege, kind, object)
    end as what,
    case
      when owner is not null and current_setting('server_version_num')::int < 170000
        then format('grant %I to %I', pg_get_userbyid(owner), current_user)
      when kind in ('table', 'view')
        then format('grant %s on %s to %I', privilege, object, current_user)
      else format('grant %s on %s %s to %I', privilege, kind, object, current_user)
    end as remedy
  from found
  where not may
  order by place`;
