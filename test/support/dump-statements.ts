import type pg from 'pg';
import { refuseUnknownObjects } from './unknown-objects.js';

/** Part of a restore. In one phase, statements of different lanes may run in parallel. */
export interface DumpStatement {
  readonly phase: 'before data' | 'keys' | 'triggers' | 'foreign keys' | 'after all';
  readonly lane: string;
  readonly text: string;
}

interface DatabaseObject {
  readonly oid: number;
  readonly rank: number;
  readonly name: string;
  readonly create: string;
  readonly refresh: string | null;
}

/**
 * Returns the statements that recreate a database, without owners and privileges, in pg_dump's
 * order: data before keys and triggers, materialized views last. Throws for objects that it would
 * omit.
 */
export async function readStatements(client: pg.Client): Promise<DumpStatement[]> {
  const query = async <Row extends pg.QueryResultRow>(text: string): Promise<Row[]> =>
    (await client.query<Row>(text)).rows;
  await refuseUnknownObjects(client);
  const objects = sortByDependency(
    await query<DatabaseObject>(databaseObjects),
    await query<{ oid: number; needs: number }>(dependencies),
  );
  const single = (phase: DumpStatement['phase'], text: string): DumpStatement => ({
    phase,
    lane: phase,
    text,
  });
  const owned = await query<{ text: string }>(ownedSequences);
  const comments = await query<{ text: string }>(objectComments);
  return [
    ...objects.map(({ create }) => single('before data', create)),
    ...owned.map(({ text }) => single('before data', text)),
    ...(await query<DumpStatement>(tableStatements)),
    ...objects.flatMap(({ refresh }) => (refresh === null ? [] : single('after all', refresh))),
    ...comments.map(({ text }) => single('after all', text)),
  ];
}

/** Sorts by dependency, then by kind and name. */
function sortByDependency(
  objects: readonly DatabaseObject[],
  edges: readonly { oid: number; needs: number }[],
): DatabaseObject[] {
  const waiting = new Map(objects.map((object) => [object.oid, object]));
  const sorted: DatabaseObject[] = [];
  const visit = (object: DatabaseObject): void => {
    if (!waiting.delete(object.oid)) return;
    for (const { needs } of edges.filter(({ oid }) => oid === object.oid)) {
      const needed = waiting.get(needs);
      if (needed !== undefined) visit(needed);
    }
    sorted.push(object);
  };
  objects.forEach(visit);
  return sorted;
}

const userNamespaces = `
  select oid, nspname from pg_catalog.pg_namespace
  where nspname !~ '^pg_' and nspname <> 'information_schema'`;

const databaseObjects = `
  with namespace as (${userNamespaces}),

  object (oid, rank, name, "create", refresh) as (
    select oid, 1, nspname::text, format('create schema %I', nspname), null
    from namespace where nspname <> 'public'
    union all
    select oid, 2, oid::regprocedure::text, pg_get_functiondef(oid), null
    from pg_proc where pronamespace in (select oid from namespace)
    union all
    select
      seqrelid, 3, seqrelid::regclass::text,
      format(
        'create sequence %s as %s increment %s minvalue %s maxvalue %s start %s cache %s%s',
        seqrelid::regclass, format_type(seqtypid, null), seqincrement, seqmin, seqmax, seqstart,
        seqcache, case when seqcycle then ' cycle' end
      ),
      null
    from pg_sequence
    join pg_class on pg_class.oid = seqrelid
    where relnamespace in (select oid from namespace)
      and not exists (
        select from pg_depend
        where classid = 'pg_class'::regclass and objid = seqrelid and deptype = 'i'
      )
    union all
    select
      oid, 3, oid::regtype::text,
      format('create domain %s as %s', oid::regtype, format_type(typbasetype, typtypmod)), null
    from pg_type where typtype = 'd' and typnamespace in (select oid from namespace)
    union all
    select
      oid, 4, oid::regclass::text,
      format(
        'create %s table %s (%s)%s',
        case relpersistence when 'u' then 'unlogged' end,
        oid::regclass,
        concat_ws(
          ', ',
          (
            select string_agg(
              concat_ws(
                ' ',
                quote_ident(attname),
                format_type(atttypid, atttypmod),
                case when attcollation <> typcollation
                  then 'collate ' || attcollation::regcollation end,
                case when attnotnull then 'not null' end,
                case
                  when attidentity <> '' then format(
                    'generated %s as identity (sequence name %s)',
                    case attidentity when 'a' then 'always' else 'by default' end,
                    pg_get_serial_sequence(pg_class.oid::regclass::text, attname)
                  )
                  when attgenerated <> '' then format(
                    'generated always as (%s) %s',
                    pg_get_expr(adbin, adrelid),
                    case attgenerated when 's' then 'stored' else 'virtual' end
                  )
                  else 'default ' || pg_get_expr(adbin, adrelid)
                end
              ),
              ', '
              order by attnum
            )
            from pg_attribute
            join pg_type on pg_type.oid = atttypid
            left join pg_attrdef on adrelid = attrelid and adnum = attnum
            where attrelid = pg_class.oid and attnum > 0 and not attisdropped
          ),
          (
            select string_agg(
              format('constraint %I %s', conname, pg_get_constraintdef(pg_constraint.oid)), ', '
              order by conname
            )
            from pg_constraint where conrelid = pg_class.oid and contype = 'c'
          )
        ),
        ' with (' || array_to_string(reloptions, ', ') || ')'
      ),
      null
    from pg_class where relkind = 'r' and relnamespace in (select oid from namespace)
    union all
    select
      oid, 5, oid::regclass::text,
      format(
        'create %s view %s%s as %s %s',
        case relkind when 'm' then 'materialized' end,
        oid::regclass,
        ' with (' || array_to_string(reloptions, ', ') || ')',
        rtrim(pg_get_viewdef(oid), ';'),
        case relkind when 'm' then 'with no data' end
      ),
      case when relkind = 'm' and relispopulated
        then format('refresh materialized view %s', oid::regclass) end
    from pg_class where relkind in ('v', 'm') and relnamespace in (select oid from namespace)
  )

  select oid::int8::float8 as oid, rank, name, "create", refresh from object order by rank, name`;

/** A view depends through its rule, a table through its defaults, a row type through its table. */
const dependencies = `
  select distinct
    coalesce(ev_class, adrelid, objid)::int8::float8 as oid,
    coalesce(nullif(typrelid, 0), refobjid)::int8::float8 as needs
  from pg_depend
  left join pg_rewrite on classid = 'pg_rewrite'::regclass and pg_rewrite.oid = objid
  left join pg_attrdef on classid = 'pg_attrdef'::regclass and pg_attrdef.oid = objid
  left join pg_type on refclassid = 'pg_type'::regclass and pg_type.oid = refobjid
  where deptype = 'n'`;

const ownedSequences = `
  select format(
    'alter sequence %s owned by %s.%I', objid::regclass, refobjid::regclass, attname
  ) as text
  from pg_depend
  join pg_class on pg_class.oid = objid and relkind = 'S'
  join pg_attribute on attrelid = refobjid and attnum = refobjsubid
  where classid = 'pg_class'::regclass
    and refclassid = 'pg_class'::regclass
    and deptype = 'a'
  order by 1`;

/** Statements of one table, one lane each. Foreign keys lock two tables, so they are separate. */
const tableStatements = `
  with relation as (
    select oid, oid::regclass::text as name from pg_class
    where relkind in ('r', 'm') and relnamespace in (select oid from (${userNamespaces}) as own)
  ),

  statement (step, phase, lane, text) as (
    select
      case contype when 'f' then 4 else 1 end,
      case contype when 'f' then 'foreign keys' else 'keys' end,
      case contype when 'f' then 'foreign keys' else name end,
      format(
        'alter table only %s add constraint %I %s',
        name, conname, pg_get_constraintdef(pg_constraint.oid)
      )
    from relation join pg_constraint on conrelid = relation.oid
    where contype in ('p', 'u', 'x', 'f')
    union all
    select 2, 'keys', name, pg_get_indexdef(indexrelid)
    from relation join pg_index on indrelid = relation.oid
    where not exists (
      select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x')
    )
    union all
    select
      3, 'triggers', name,
      pg_get_triggerdef(pg_trigger.oid) || case tgenabled
        when 'O' then ''
        else format(
          '; alter table %s %s trigger %I',
          name,
          case tgenabled when 'D' then 'disable' when 'A' then 'enable always' else 'enable replica' end,
          tgname
        )
      end
    from relation join pg_trigger on tgrelid = relation.oid
    where not tgisinternal
    union all
    select
      3, 'triggers', contypid::regtype::text,
      format(
        'alter domain %s add constraint %I %s',
        contypid::regtype, conname, pg_get_constraintdef(pg_constraint.oid)
      )
    from pg_constraint
    join pg_type on pg_type.oid = contypid and contype = 'c'
    where typnamespace in (select oid from (${userNamespaces}) as own)
  )

  select phase, lane, text from statement order by step, lane, text`;

/** Lower oids are PostgreSQL's own. */
const objectComments = `
  select format(
    'comment on %s %s is %L',
    regexp_replace(type, '^.* (column|constraint)$', '\\1'), identity, description
  ) as text
  from pg_description
  cross join lateral pg_identify_object(classoid, objoid, objsubid)
  where objoid >= 16384
  order by 1`;
