-- Appends the net change of a delete on public.premis_events, a row a key, in the writer's transaction.
-- Trigger registry_stats_delete, after each statement. Takes no lock that another writer waits for.
create or replace function registry_stats.capture_premis_events_delete()
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
    removed.institution_id,
    removed.event_type,
    removed.outcome,
    -count(*)
  from removed
  group by
    removed.institution_id,
    removed.event_type,
    removed.outcome;

  return null;
end
$$;

comment on function registry_stats.capture_premis_events_delete() is
  'Appends what a delete of events changes to registry_stats.delta.';
