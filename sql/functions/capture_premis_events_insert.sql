-- Appends the net change of an insert on public.premis_events, a row a key, in the writer's transaction.
-- Trigger registry_stats_insert, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_premis_events_insert()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> 'premis_events')
    and not registry_stats.is_counted('premis_events', tg_relid)
  then
    return null;
  end if;

  insert into registry_stats.delta (
    source,
    institution_id,
    facet,
    subfacet,
    row_count
  )
  select
    'premis_events',
    added.institution_id,
    added.event_type,
    added.outcome,
    count(*)
  from added
  group by
    added.institution_id,
    added.event_type,
    added.outcome;

  return null;
end
$$;

comment on function registry_stats.capture_premis_events_insert() is
  'Appends what an insert of events changes to registry_stats.delta.';
