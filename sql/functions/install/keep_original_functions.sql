-- Saves Registry's functions before ours replace them. A body that calls registry_stats is ours.
insert into registry_stats.original (name, definition, settings)
select
  signature.name,
  pg_get_functiondef(pg_proc.oid),
  array[
    format(
      'comment on function %s is %s',
      signature.name,
      coalesce(quote_literal(obj_description(pg_proc.oid, 'pg_proc')), 'null')
    )
  ]
from pg_proc
cross join lateral (
  select format('public.%I(%s)', proname, oidvectortypes(proargtypes)) as name
) as signature
where pg_proc.pronamespace = 'public'::regnamespace
  and pg_proc.proname in (
    'update_counts',
    'update_current_deposit_stats',
    'populate_all_historical_deposit_stats',
    'populate_historical_deposit_stats',
    'populate_empty_deposit_stats'
  )
  and strpos(pg_proc.prosrc, 'registry_stats.') = 0
on conflict (name) do update
set definition = excluded.definition, settings = excluded.settings;
