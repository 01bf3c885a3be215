-- Returns the other objects that read a view, with their schema; NULL if there are none. A view
-- depends on it through the rule that holds its query.
create or replace function registry_stats.dependents(schema text, name text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(distinct coalesce(reader.name, pg_describe_object(classid, objid, 0)), ', ')
  from pg_depend
  left join lateral (
    select pg_rewrite.ev_class::regclass::text as name, pg_rewrite.ev_class
    from pg_rewrite
    where pg_depend.classid = 'pg_rewrite'::regclass
      and pg_rewrite.oid = pg_depend.objid
  ) as reader on true
  where pg_depend.refclassid = 'pg_class'::regclass
    and pg_depend.refobjid = to_regclass(format('%I.%I', dependents.schema, dependents.name))
    and pg_depend.deptype = 'n'
    and reader.ev_class is distinct from pg_depend.refobjid
$$;

comment on function registry_stats.dependents(text, text) is
  'Other objects that read a view; NULL if there are none.';
