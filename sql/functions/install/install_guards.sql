-- Creates the guards of our tables, again if one is missing or disabled. They detect writes outside
-- our functions. Call it in a short transaction, and retry after a pause if a lock is not available.
-- `delta` is locked last: all writers of Registry wait for that one.
--
-- Inserts into delta have a check of a domain instead of a trigger, because capture inserts in every
-- write of Registry's: a session keeps the compiled check, but a trigger's condition is parsed for
-- each statement. Capture writes from within a trigger.
create or replace function registry_stats.install_guards()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table text;
begin
  if registry_stats.guards() <> 'incomplete' then
    return;
  end if;

  foreach v_table in array array[
    'epoch', 'source', 'count_rollup', 'deposit_rollup', 'deposit_total', 'delta'
  ] loop
    perform registry_stats.lock_briefly(
      format('registry_stats.%I', v_table)::regclass, 'share row exclusive'
    );
  end loop;
  -- Another session may have created them in the meantime.
  if registry_stats.guards() <> 'incomplete' then
    return;
  end if;

  foreach v_table in array array['count_rollup', 'deposit_rollup', 'deposit_total', 'delta'] loop
    execute format(
      'create or replace trigger registry_stats_guard
      after %s update or delete or truncate on registry_stats.%I
      for each statement execute function registry_stats.guard_rollups()',
      case when v_table <> 'delta' then 'insert or' else '' end, v_table
    );
    execute format(
      'alter table registry_stats.%I enable always trigger registry_stats_guard', v_table
    );
  end loop;
  create or replace trigger registry_stats_guard_record
    before insert or update on registry_stats.source
    for each row execute function registry_stats.guard_record();
  alter table registry_stats.source enable always trigger registry_stats_guard_record;
  create or replace trigger registry_stats_guard_epoch
    before insert or update on registry_stats.epoch
    for each row execute function registry_stats.guard_epoch();
  alter table registry_stats.epoch enable always trigger registry_stats_guard_epoch;

  alter domain registry_stats.captured_table drop constraint if exists guard;
  -- Not valid: the rows that are there already are not checked.
  alter domain registry_stats.captured_table add constraint guard
    check (pg_trigger_depth() > 0 or registry_stats.guard_deltas()) not valid;
end
$$;

comment on function registry_stats.install_guards() is
  'Creates the triggers and the check that detect writes to our tables outside our functions.';
