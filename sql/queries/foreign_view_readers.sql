-- Other objects that read a view of Registry's statistics which ours would replace: PostgreSQL refuses
-- to drop it. A view that reads schema registry_stats is ours already.
select
  pg_catalog.format('public.%I', shown.relname) as view,
  pg_catalog.string_agg(
    distinct coalesce(
      pg_rewrite.ev_class::pg_catalog.regclass::text,
      pg_catalog.pg_describe_object(pg_depend.classid, pg_depend.objid, 0)
    ),
    ', '
  ) as readers
from pg_catalog.unnest($1::text[]) as name
join pg_catalog.pg_class as shown
  on shown.oid = pg_catalog.to_regclass('public.' || name)
  and shown.relkind = 'm'
join pg_catalog.pg_depend
  on pg_depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  and pg_depend.refobjid = shown.oid
  and pg_depend.deptype = 'n'
left join pg_catalog.pg_rewrite
  on pg_depend.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
  and pg_rewrite.oid = pg_depend.objid
where pg_rewrite.ev_class is distinct from shown.oid
  and not exists (
    select
    from pg_catalog.pg_depend as source
    join pg_catalog.pg_rewrite as rule on rule.oid = source.objid
    join pg_catalog.pg_class as read on read.oid = source.refobjid
    where rule.ev_class = shown.oid
      and read.relnamespace = pg_catalog.to_regnamespace('registry_stats')
  )
group by shown.relname
order by shown.relname
