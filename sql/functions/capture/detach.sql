-- Drops our triggers from one of Registry's tables. Its owner calls this in a migration that drops
-- a captured column or changes its type: PostgreSQL refuses that while a trigger reads the column.
-- The next run attaches them again and rebuilds the rollups.
create or replace function registry_stats.detach(source text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_trigger record;
begin
  if not exists (select from registry_stats.source where source.name = detach.source) then
    raise exception 'registry_stats: table % is not captured', detach.source
      using
        errcode = 'invalid_parameter_value',
        hint = format(
          'captured tables: %s', (select string_agg(source.name, ', ') from registry_stats.source)
        );
  end if;

  for v_trigger in
    select pg_trigger.tgname, pg_trigger.tgrelid::regclass as relation
    from pg_trigger
    where starts_with(pg_trigger.tgname, 'registry_stats_')
      and pg_trigger.tgparentid = 0
      and pg_trigger.tgrelid in (
        select to_regclass(format('public.%I', detach.source))
        union
        select relid from pg_partition_tree(to_regclass(format('public.%I', detach.source)))
      )
    order by 2, 1
  loop
    execute format('drop trigger %I on %s', v_trigger.tgname, v_trigger.relation);
  end loop;

  -- Not an update of registry_stats.source: a running fold may have locked the row.
  perform set_config('registry_stats.is_writing', 'on', true);
  perform registry_stats.mark(detach.source, 'capture was detached');
  perform set_config('registry_stats.is_writing', 'off', true);
end
$$;

comment on function registry_stats.detach(text) is
  'Drops our triggers, before the owner changes a captured column; the next run recreates them.';
