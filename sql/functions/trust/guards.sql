-- Returns the identity of the guard triggers. A restore that disables and enables them changes it.
create or replace function registry_stats.guards()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select string_agg(oid::text || '.' || xmin::text, ',' order by oid)
    from pg_trigger
    where tgrelid in (
        'registry_stats.count_rollup'::regclass,
        'registry_stats.deposit_rollup'::regclass,
        'registry_stats.deposit_total'::regclass,
        'registry_stats.delta'::regclass,
        'registry_stats.source'::regclass
      )
      and tgname in ('registry_stats_guard', 'registry_stats_guard_record')
      and tgenabled = 'A'
  );
end
$$;

comment on function registry_stats.guards() is
  'Identity of the triggers that detect writes to our tables outside our functions.';
