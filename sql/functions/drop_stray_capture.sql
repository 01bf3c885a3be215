-- Takes the capture triggers of one of Registry's tables away from where they do not belong: a
-- partition that was detached or a table that was renamed keeps its triggers, and its writes would
-- still be counted. Called by registry_stats.attach_capture.
create or replace function registry_stats.drop_stray_capture(source text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table regclass := format('public.%I', drop_stray_capture.source)::regclass;
  v_stray record;
begin
  for v_stray in
    select pg_trigger.tgname, pg_trigger.tgrelid::regclass as relation
    from pg_trigger
    where starts_with(pg_trigger.tgname, 'registry_stats_')
      and pg_trigger.tgrelid in (
        select counted.tgrelid
        from pg_trigger as counted
        where counted.tgfoid = format(
          'registry_stats.capture_%s_insert()', drop_stray_capture.source
        )::regprocedure
      )
      and pg_trigger.tgrelid not in (select relid from pg_partition_tree(v_table))
      -- The table itself is in its tree only if it is partitioned; else it has one trigger less.
      and (pg_trigger.tgrelid <> v_table or pg_trigger.tgname = 'registry_stats_update_added')
  loop
    execute format('drop trigger %I on %s', v_stray.tgname, v_stray.relation);
  end loop;
end
$$;

comment on function registry_stats.drop_stray_capture(text) is
  'Drops capture triggers of a table that are on another one.';
