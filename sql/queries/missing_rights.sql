-- What the jobs need and the role lacks, and the statement that grants it. $1: kinds of objects, $2:
-- privileges, $3: objects. Reads the catalog: a lookup by name, as a regclass, needs rights on its schema.
-- The right MAINTAIN exists from PostgreSQL 17 on; before, only a member of the owner's role may refresh.
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
order by place
