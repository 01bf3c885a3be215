-- Views of others, in any schema, that read our tables or views.
select distinct reader.oid::pg_catalog.regclass::text as name
from pg_catalog.pg_depend
join pg_catalog.pg_rewrite
  on pg_depend.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  and pg_rewrite.oid = pg_depend.objid
join pg_catalog.pg_class as reader on reader.oid = pg_rewrite.ev_class
join pg_catalog.pg_class as ours
  on pg_depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and ours.oid = pg_depend.refobjid
where reader.relnamespace <> 'registry_stats'::pg_catalog.regnamespace
  and reader.oid <> ours.oid
  and (
    ours.relnamespace = 'registry_stats'::pg_catalog.regnamespace
      and not exists (
        select
        from registry_stats.view
        where pg_catalog.to_regclass('public.' || view.name) = reader.oid
      )
    or exists (
      select
      from registry_stats.look_at_views() as checked
      where checked.state in ('ok', 'empty', 'unindexed')
        and pg_catalog.to_regclass('public.' || checked.name) = ours.oid
    )
  )
order by 1
