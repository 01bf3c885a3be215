-- What uninstall does with each view and function in schema public: restore the original, or drop it.
select
  pg_catalog.format('public.%I', checked.name) as name,
  original.definition is not null as "isRestored"
from registry_stats.look_at_views() as checked
left join registry_stats.original on original.name = checked.name
where checked.state in ('ok', 'empty', 'unindexed')
union all
select
  pg_catalog.format('public.%s', installed.name),
  original.definition is not null
from pg_catalog.unnest($1::text[]) as installed (name)
join pg_catalog.pg_proc on pg_proc.oid = pg_catalog.to_regprocedure('public.' || installed.name)
left join registry_stats.original
  on original.name
    = pg_catalog.format('public.%I(%s)', proname, pg_catalog.oidvectortypes(proargtypes))
where pg_catalog.strpos(prosrc, 'registry_stats.') > 0
order by 1
