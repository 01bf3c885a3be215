-- Creates the guard triggers on our tables. They detect writes outside our functions. Capture
-- writes deltas from within a trigger, so a guard does not fire there.
create or replace function registry_stats.install_guards()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table text;
begin
  if not exists (select from registry_stats.epoch where epoch.guards is null and epoch.name = 'rollups')
    and (
      select count(*)
      from pg_trigger
      where tgname in ('registry_stats_guard', 'registry_stats_guard_record')
        and tgenabled = 'A'
        and tgrelid::regclass::text like 'registry\_stats.%'
    ) = 5
  then
    return;
  end if;

  foreach v_table in array array['count_rollup', 'deposit_rollup', 'deposit_total', 'delta'] loop
    execute format(
      'create or replace trigger registry_stats_guard
      after insert or update or delete or truncate on registry_stats.%I
      for each statement %s execute function registry_stats.guard_rollups()',
      v_table, case v_table when 'delta' then 'when (pg_trigger_depth() = 0)' else '' end
    );
    execute format(
      'alter table registry_stats.%I enable always trigger registry_stats_guard', v_table
    );
  end loop;
  create or replace trigger registry_stats_guard_record
    before insert or update on registry_stats.source
    for each row execute function registry_stats.guard_record();
  alter table registry_stats.source enable always trigger registry_stats_guard_record;
end
$$;

comment on function registry_stats.install_guards() is
  'Creates the triggers that detect writes to our tables outside our functions.';
