-- Returns the identity of the guards; 'incomplete' if one is missing or disabled. A restore that
-- disables and enables the triggers changes it.
create or replace function registry_stats.guards()
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select case count(*)
      when 7 then string_agg(guard.oid::text || '.' || guard.xmin::text, ',' order by guard.oid)
      else 'incomplete'
    end
    from (
      select pg_trigger.oid, pg_trigger.xmin
      from pg_trigger
      where tgrelid in (
          'registry_stats.count_rollup'::regclass,
          'registry_stats.deposit_rollup'::regclass,
          'registry_stats.deposit_total'::regclass,
          'registry_stats.delta'::regclass,
          'registry_stats.source'::regclass,
          'registry_stats.epoch'::regclass
        )
        and tgname in (
          'registry_stats_guard', 'registry_stats_guard_record', 'registry_stats_guard_epoch'
        )
        and tgenabled = 'A'
      union all
      select pg_constraint.oid, pg_constraint.xmin
      from pg_constraint
      where contypid = 'registry_stats.captured_table'::regtype
        and conname = 'guard'
    ) as guard
  );
end
$$;

comment on function registry_stats.guards() is
  'Identity of the triggers and the check that detect writes to our tables outside our functions.';
