-- Puts the four capture triggers on a table of Registry's, anew if one is missing or disabled. Gives
-- whether it had to; then the table's rollups are not exact until a rebuild.
-- Locks the table against writers, never against readers, for the moment of `create trigger`: call
-- it with a short lock_timeout, in a transaction of its own. `or replace` also enables a disabled
-- trigger; dropping it first would lock out readers. The lock also waits for every writer that began
-- without the triggers, so a snapshot taken after the commit misses nothing.
create or replace function registry_stats.attach_capture(source text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_columns text[];
  v_differs text;
begin
  if registry_stats.fingerprint(attach_capture.source) is not null then
    return false;
  end if;

  -- Any other table fails here, before it is locked.
  case attach_capture.source
    when 'generic_files' then
      v_columns :=
        array['institution_id', 'state', 'intellectual_object_id', 'storage_option', 'size'];
    when 'intellectual_objects' then
      v_columns := array['institution_id', 'state'];
    when 'premis_events' then
      v_columns := array['institution_id', 'event_type', 'outcome'];
    when 'work_items' then
      v_columns := array['institution_id', 'action'];
  end case;

  execute format('lock table public.%I in share row exclusive mode', attach_capture.source);
  -- Another session may have done it while this one waited.
  if registry_stats.fingerprint(attach_capture.source) is not null then
    return false;
  end if;

  execute format(
    'create or replace trigger registry_stats_insert after insert on public.%I
    referencing new table as added
    for each statement execute function registry_stats.%I()',
    attach_capture.source, 'capture_' || attach_capture.source || '_insert'
  );
  execute format(
    'create or replace trigger registry_stats_delete after delete on public.%I
    referencing old table as removed
    for each statement execute function registry_stats.%I()',
    attach_capture.source, 'capture_' || attach_capture.source || '_delete'
  );
  -- By row, with a condition: transition tables cannot be combined with a list of columns, and the
  -- ORM names every column in the set list. PostgreSQL reads the condition anew for each statement, so
  -- it is short: one comparison of two rows instead of one a column. By its function, for the operator
  -- between two rows would be taken apart when a dump is restored.
  select format(
    'pg_catalog.record_image_ne(row(%s), row(%s))',
    string_agg(format('old.%I', name), ', '),
    string_agg(format('new.%I', name), ', ')
  )
  into v_differs
  from unnest(v_columns) as name;
  execute format(
    'create or replace trigger registry_stats_update after update on public.%I
    for each row when (%s) execute function registry_stats.%I()',
    attach_capture.source, v_differs, 'capture_' || attach_capture.source || '_update'
  );
  execute format(
    'create or replace trigger registry_stats_truncate after truncate on public.%I
    for each statement execute function registry_stats.capture_truncate()',
    attach_capture.source
  );

  update registry_stats.source
  set is_exact = false, reason = 'capture was attached'
  where name = attach_capture.source;

  return true;
end
$$;

comment on function registry_stats.attach_capture(text) is
  'Puts the capture triggers on a table if they are not all there and enabled.';
