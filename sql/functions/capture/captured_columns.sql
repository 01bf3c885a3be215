-- Returns the captured columns of a table by their present names, in the order of the columns of
-- registry_stats.delta. A column is found by its declared name, else by its former number, as after
-- a rename. `name` is NULL if it is gone. `expression` is its value, any number or a varchar.
create or replace function registry_stats.captured_columns(source text)
returns table (slot text, declared text, name name, attnum int2, type regtype, expression text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    wanted.slot,
    wanted.declared,
    found.attname,
    found.attnum,
    found.atttypid::regtype,
    case
      when found.attname is null then format('null::%s', wanted.type)
      when wanted.type = 'varchar' and found.atttypid <> 'varchar'::regtype
        then format('%I::varchar', found.attname)
      else quote_ident(found.attname)
    end
  from registry_stats.source
  cross join lateral (
    values
      (1, 'institution_id', source.institution_column, 'bigint'),
      (2, 'facet', source.facet_column, 'varchar'),
      (3, 'subfacet', source.subfacet_column, 'varchar'),
      (4, 'object_id', source.object_column, 'bigint'),
      (5, 'storage_option', source.option_column, 'varchar'),
      (6, 'byte_count', source.bytes_column, 'numeric')
  ) as wanted (place, slot, declared, type)
  left join lateral (
    select pg_attribute.attname, pg_attribute.attnum, pg_attribute.atttypid
    from pg_attribute
    where pg_attribute.attrelid = to_regclass(format('public.%I', source.name))
      and not pg_attribute.attisdropped
      and (
        pg_attribute.attname = wanted.declared
        or pg_attribute.attnum = source.captured[wanted.place] and wanted.declared is not null
      )
    order by pg_attribute.attname = wanted.declared desc
    limit 1
  ) as found on true
  where source.name = captured_columns.source
  order by wanted.place
$$;

comment on function registry_stats.captured_columns(text) is
  'The captured columns of a table by their present names.';
