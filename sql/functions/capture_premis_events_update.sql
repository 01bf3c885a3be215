-- Appends an update on public.premis_events that moved a row to another key or changed its measure.
-- Trigger registry_stats_update, after each row whose captured columns differ: any other update, such
-- as a fixity check, costs the comparison alone.
create or replace function registry_stats.capture_premis_events_update()
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
  values
    (
      'premis_events',
      old.institution_id,
      old.event_type,
      old.outcome,
      -1
    ),
    (
      'premis_events',
      new.institution_id,
      new.event_type,
      new.outcome,
      1
    );

  return null;
end
$$;

comment on function registry_stats.capture_premis_events_update() is
  'Appends what an update of events changes to registry_stats.delta.';
