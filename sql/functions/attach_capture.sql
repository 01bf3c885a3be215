-- Puts the capture triggers on a table of Registry's, anew if one is missing or disabled. Gives
-- whether it had to; then the table's rollups are not exact until a rebuild.
-- Locks the table against writers, never against readers, for the moment of `create trigger`: call
-- it with a short lock_timeout, in a transaction of its own. `or replace` also enables a disabled
-- trigger; dropping it first would lock out readers. The lock also waits for every writer that began
-- without the triggers, so a snapshot taken after the commit misses nothing.
--
-- A trigger for each statement fires on the one table that the statement names. So a partitioned table
-- has them on itself and on all its partitions, for who writes to these directly.
--
-- No other relation is touched: where it was a table of this name or its partition, its triggers stay,
-- and registry_stats.is_counted ignores them.
create or replace function registry_stats.attach_capture(source text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table regclass := format('public.%I', attach_capture.source)::regclass;
  v_is_partitioned boolean := (select relkind from pg_class where pg_class.oid = v_table) = 'p';
  v_insert text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_insert');
  v_update text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_update');
  v_delete text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_delete');
  v_relation regclass;
  v_trigger record;
  v_columns text[];
  v_differs text;
  v_was_partition boolean;
begin
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

  if registry_stats.fingerprint(attach_capture.source) is not null then
    return false;
  end if;

  -- A table that was a partition before has one trigger too many. To drop it locks out readers, too.
  v_was_partition := not v_is_partitioned and exists (
    select
    from pg_trigger
    where pg_trigger.tgrelid = v_table
      and pg_trigger.tgname = 'registry_stats_update_added'
  );
  if v_is_partitioned or v_was_partition then
    -- Less than deadlock_timeout (1 s): a writer may hold a partition and wait for the table, and a
    -- reader may become a writer. This gives way before one of them is ended for it.
    perform set_config('lock_timeout', '300ms', true);
  end if;
  execute format(
    'lock table %s in %s mode',
    v_table,
    case when v_was_partition then 'access exclusive' else 'share row exclusive' end
  );
  -- Another session may have done it while this one waited.
  if registry_stats.fingerprint(attach_capture.source) is not null then
    return false;
  end if;

  if v_was_partition then
    execute format('drop trigger registry_stats_update_added on %s', v_table);
  end if;

  select format(
    'pg_catalog.record_image_ne(row(%s), row(%s))',
    string_agg(format('old.%I', name), ', '),
    string_agg(format('new.%I', name), ', ')
  )
  into v_differs
  from unnest(v_columns) as name;

  for v_relation in
    select v_table
    union
    select relid from pg_partition_tree(v_table)
  loop
    execute format(
      'create or replace trigger registry_stats_truncate after truncate on %s
      for each statement execute function registry_stats.capture_truncate(%L)',
      v_relation, attach_capture.source
    );

    -- In a partitioned table an update may move a row to another partition, which a trigger by row does
    -- not see. It is captured as the delete of the old rows and the insert of the new ones.
    for v_trigger in
      select name, event, rows, function
      from (
        values
          ('insert', 'insert', 'new table as added', v_insert, true),
          ('delete', 'delete', 'old table as removed', v_delete, true),
          ('update', 'update', 'old table as removed', v_delete, v_is_partitioned),
          ('update_added', 'update', 'new table as added', v_insert, v_is_partitioned)
      ) as wanted (name, event, rows, function, is_wanted)
      where is_wanted
    loop
      execute format(
        'create or replace trigger registry_stats_%s after %s on %s
        referencing %s for each statement execute function %s()',
        v_trigger.name, v_trigger.event, v_relation, v_trigger.rows, v_trigger.function
      );
    end loop;

    if not v_is_partitioned then
      -- By row, with a condition: transition tables cannot be combined with a list of columns, and the
      -- ORM names every column in the set list. PostgreSQL reads the condition anew for each
      -- statement, so it is short: one comparison of two rows instead of one a column. By its function,
      -- for the operator between two rows would be taken apart when a dump is restored.
      execute format(
        'create or replace trigger registry_stats_update after update on %s
        for each row when (%s) execute function %s()',
        v_relation, v_differs, v_update
      );
    end if;
  end loop;

  update registry_stats.source
  set is_exact = false, reason = 'capture was attached'
  where name = attach_capture.source;

  return true;
end
$$;

comment on function registry_stats.attach_capture(text) is
  'Puts the capture triggers on a table if they are not all there and enabled.';
