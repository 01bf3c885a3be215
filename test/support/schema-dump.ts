import type { TestDatabase } from './test-database.js';

/**
 * Returns all DDL of schemas public and registry_stats as sorted lines. It reads the catalog,
 * because a machine with only Node has no pg_dump.
 */
export async function dumpSchema(database: Pick<TestDatabase, 'query'>): Promise<string> {
  const rows = await database.query<{ line: string }>(dumpQuery);
  return rows.map(({ line }) => line).join('\n') + '\n';
}

const dumpQuery = `
  with ours as (
    select oid from pg_namespace where nspname in ('public', 'registry_stats')
  ),

  relation as (
    select oid, relname, relkind, relacl, relowner from pg_class
    where relnamespace in (select oid from ours)
  )

  select line collate "C" as line
  from (
    select format('relation %s %s', relkind, relname) as line from relation
    union all
    select format(
      'column %s.%s %s %s %s default %s',
      relname, lpad(attnum::text, 2, '0'), attname, format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' else 'null' end,
      coalesce(pg_get_expr(adbin, adrelid), '-')
    )
    from relation
    join pg_attribute on attrelid = relation.oid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attnum > 0 and not attisdropped and relkind in ('r', 'p', 'v', 'm')
    union all
    select 'index ' || pg_get_indexdef(indexrelid)
    from relation join pg_index on indexrelid = relation.oid
    union all
    select format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
    from relation join pg_constraint on conrelid = relation.oid
    where contype <> 'n'
    union all
    select format('domain %s %s', contypid::regtype, pg_get_constraintdef(pg_constraint.oid))
    from pg_constraint join pg_type on pg_type.oid = contypid
    where typnamespace in (select oid from ours)
    union all
    select format('view %s %s', relname, md5(pg_get_viewdef(relation.oid)))
    from relation where relkind in ('v', 'm')
    union all
    select format('function %s %s', pg_proc.oid::regprocedure, md5(pg_get_functiondef(pg_proc.oid)))
    from pg_proc where pronamespace in (select oid from ours)
    union all
    select format('trigger %s.%s %s', relname, tgname, pg_get_triggerdef(pg_trigger.oid))
    from relation join pg_trigger on tgrelid = relation.oid
    where not tgisinternal
    union all
    select format('comment %s %s %s', pg_describe_object(classoid, objoid, objsubid), objsubid, description)
    from pg_description
    where objoid in (select oid from relation)
      or objoid in (select oid from pg_proc where pronamespace in (select oid from ours))
  ) as dump
  order by 1`;
