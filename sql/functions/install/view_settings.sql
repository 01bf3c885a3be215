-- Returns the statements that copy a view's settings to a new view of the same name, in the order
-- to run them: other indexes, comments, rights, storage, statistics, cluster mark.
create or replace function registry_stats.view_settings(view regclass)
returns text[]
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(setting.statement order by setting.place, setting.statement), '{}')
  from (
    select 1 as place, pg_get_indexdef(indexrelid) as statement
    from pg_index
    where indrelid = view_settings.view
    union all
    select
      2,
      format(
        'alter index %s alter column %s set statistics %s',
        pg_attribute.attrelid::regclass, attnum, attstattarget
      )
    from pg_index
    join pg_attribute on pg_attribute.attrelid = indexrelid
    where indrelid = view_settings.view
      and attstattarget >= 0
    union all
    select
      2,
      format('comment on index %s is %L', indexrelid::regclass, obj_description(indexrelid, 'pg_class'))
    from pg_index
    where indrelid = view_settings.view
      and obj_description(indexrelid, 'pg_class') is not null
    union all
    select 2, format('alter index %s set tablespace %I', indexrelid::regclass, spcname)
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    join pg_tablespace on pg_tablespace.oid = pg_class.reltablespace
    where indrelid = view_settings.view
    union all
    select
      3,
      format(
        'alter materialized view %s cluster on %I', view_settings.view, pg_class.relname
      )
    from pg_index
    join pg_class on pg_class.oid = indexrelid
    where indrelid = view_settings.view
      and indisclustered
    union all
    select
      3,
      format(
        'comment on materialized view %s is %L',
        view_settings.view, obj_description(view_settings.view, 'pg_class')
      )
    where obj_description(view_settings.view, 'pg_class') is not null
    union all
    select
      3,
      format('comment on column %s.%I is %L', view_settings.view, attname, description)
    from pg_description
    join pg_attribute on attrelid = objoid and attnum = objsubid
    where classoid = 'pg_class'::regclass
      and objoid = view_settings.view
      and objsubid > 0
    union all
    select 3, format('alter materialized view %s set (%s)', view_settings.view, options.list)
    from (
      select string_agg(format('%s = %L', parameter.name, parameter.value), ', ') as list
      from (
        select split_part(option, '=', 1) as name, substr(option, strpos(option, '=') + 1) as value
        from pg_class
        cross join lateral unnest(reloptions) as option
        where pg_class.oid = view_settings.view
        union all
        select
          'toast.' || split_part(option, '=', 1), substr(option, strpos(option, '=') + 1)
        from pg_class
        join pg_class as toast on toast.oid = pg_class.reltoastrelid
        cross join lateral unnest(toast.reloptions) as option
        where pg_class.oid = view_settings.view
      ) as parameter
    ) as options
    where options.list is not null
    union all
    select 3, format('alter materialized view %s set tablespace %I', view_settings.view, spcname)
    from pg_class
    join pg_tablespace on pg_tablespace.oid = pg_class.reltablespace
    where pg_class.oid = view_settings.view
    union all
    select
      3,
      format(
        'alter materialized view %s alter column %I set %s',
        view_settings.view, attname, change.action
      )
    from pg_attribute
    join pg_type on pg_type.oid = atttypid
    cross join lateral (
      values
        (attstattarget >= 0, format('statistics %s', attstattarget)),
        (
          attstorage <> typstorage,
          'storage ' || case attstorage
            when 'p' then 'plain' when 'e' then 'external' when 'x' then 'extended' else 'main'
          end
        ),
        (attcompression <> '', 'compression ' || case attcompression when 'l' then 'lz4' else 'pglz' end),
        (attoptions is not null, format('(%s)', array_to_string(attoptions, ', ')))
    ) as change (is_set, action)
    where attrelid = view_settings.view
      and attnum > 0
      and change.is_set
    union all
    select 3, pg_get_statisticsobjdef(pg_statistic_ext.oid)
    from pg_statistic_ext
    where stxrelid = view_settings.view
    union all
    select 4, change.statement
    from pg_statistic_ext
    cross join lateral (
      values
        (
          format(
            'alter statistics %I.%I set statistics %s', stxnamespace::regnamespace, stxname, stxstattarget
          )
        ),
        (
          'comment on statistics ' || format('%I.%I', stxnamespace::regnamespace, stxname) || ' is '
            || quote_literal(obj_description(pg_statistic_ext.oid, 'pg_statistic_ext'))
        )
    ) as change (statement)
    where stxrelid = view_settings.view
      and change.statement is not null
      and change.statement not like '%set statistics '
      and change.statement not like '%set statistics -1'
    union all
    -- Rights that the owner revoked from itself stay revoked. The statements run as current_user,
    -- whose rights pass to the owner with the view.
    select 5, format('revoke all on %s from current_user', view_settings.view)
    from pg_class
    where pg_class.oid = view_settings.view
      and relacl is not null
    union all
    select
      6,
      format(
        'grant %s on %s to %s%s',
        acl.privilege_type,
        view_settings.view,
        case acl.grantee
          when 0 then 'public'
          when relowner then 'current_user'
          else quote_ident(pg_get_userbyid(acl.grantee))
        end,
        case when acl.is_grantable then ' with grant option' else '' end
      )
    from pg_class
    cross join lateral aclexplode(relacl) as acl
    where pg_class.oid = view_settings.view
    union all
    select
      6,
      format(
        'grant %s (%I) on %s to %s%s',
        acl.privilege_type,
        attname,
        view_settings.view,
        case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end,
        case when acl.is_grantable then ' with grant option' else '' end
      )
    from pg_attribute
    cross join lateral aclexplode(attacl) as acl
    where attrelid = view_settings.view
      and attnum > 0
  ) as setting
$$;

comment on function registry_stats.view_settings(regclass) is
  'The statements that copy a view''s settings to a new view of the same name.';
