-- Creates the capture triggers on one of Registry's tables, or recreates them if one is missing or
-- disabled or a captured column changed. Returns true if it did: the table is then untrusted. Creates
-- missing guards of our own tables, too.
--
-- Locks the table against writers, not readers, while the triggers are created; the writers of all
-- tables while guards are created. Each wait for a lock is at most 0.3 s, together 0.6 s. Call it in its own
-- transaction, and retry after a pause if the lock is not available. The lock waits for every
-- writer that began without the triggers, so a snapshot taken after the commit misses nothing.
-- `or replace` also enables a disabled trigger. Dropping it first would block readers.
--
-- A statement trigger fires only on the table that the statement names. So a partitioned table has
-- triggers on itself and on all partitions, for clients that write to a partition directly.
-- A renamed table or detached partition keeps its triggers. registry_stats.is_counted ignores them.
create or replace function registry_stats.attach_capture(source text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table regclass := to_regclass(format('public.%I', attach_capture.source));
  v_is_partitioned boolean := (select relkind from pg_class where pg_class.oid = v_table) = 'p';
  v_insert text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_insert');
  v_update text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_update');
  v_delete text := format('registry_stats.%I', 'capture_' || attach_capture.source || '_delete');
  v_relation regclass;
  v_trigger record;
  v_event text;
  v_function text;
  v_role text;
  v_obstacle text;
  v_differs text;
  v_was_partition boolean;
begin
  -- Fails before an undeclared table is locked.
  if not exists (select from registry_stats.source where source.name = attach_capture.source) then
    raise exception 'registry_stats: table % is not declared in registry_stats.source',
      attach_capture.source
      using errcode = 'invalid_parameter_value';
  end if;

  insert into registry_stats.view (name, source)
  select shown.name, source.name
  from registry_stats.source
  cross join lateral (
    select source.view
    union all
    select 'current_deposit_stats' where source.object_column is not null
  ) as shown (name)
  where source.name = attach_capture.source
  on conflict do nothing;

  v_obstacle := registry_stats.obstacle(attach_capture.source);
  if v_obstacle is not null then
    update registry_stats.source
    set is_exact = false, reason = v_obstacle
    where name = attach_capture.source
      and (is_exact or reason is distinct from v_obstacle);
    return false;
  end if;

  perform registry_stats.install_guards();
  if registry_stats.is_attached(attach_capture.source) then
    return false;
  end if;

  -- An open transaction may have locked our record: fail before Registry's table is locked.
  perform from registry_stats.source where source.name = attach_capture.source for update nowait;

  -- A former partition has an extra trigger. Dropping it also blocks readers.
  v_was_partition := not v_is_partitioned and exists (
    select
    from pg_trigger
    where pg_trigger.tgrelid = v_table
      and pg_trigger.tgname = 'registry_stats_update_added'
  );
  perform registry_stats.lock_briefly(
    v_table,
    case when v_was_partition then 'access exclusive' else 'share row exclusive' end
  );
  -- Another session may have attached them in the meantime.
  if registry_stats.is_attached(attach_capture.source) then
    return false;
  end if;

  update registry_stats.source
  set
    is_exact = false,
    reason = 'capture was attached',
    captured = (
      select array_agg(found.attnum) from registry_stats.captured_columns(source.name) as found
    )
  where name = attach_capture.source;
  insert into registry_stats.crash_witness (source)
  select attach_capture.source
  from pg_class
  where oid = v_table
    and relpersistence = 'u'
  on conflict do nothing;

  foreach v_event in array array['insert', 'update', 'delete'] loop
    execute registry_stats.capture_definition(attach_capture.source, v_event);
    v_function := format('registry_stats.%I()', format('capture_%s_%s', attach_capture.source, v_event));
    execute format(
      'comment on function %s is %L',
      v_function,
      format(
        'Appends the changes of each %s on public.%s to registry_stats.delta.',
        v_event, attach_capture.source
      )
    );
    -- Revoke what default privileges granted.
    for v_role in
      select distinct
        case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
      from pg_proc
      cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
      where pg_proc.oid = v_function::regprocedure
        and acl.grantee <> proowner
    loop
      execute format('revoke all on function %s from %s', v_function, v_role);
    end loop;
  end loop;

  if v_was_partition then
    execute format('drop trigger registry_stats_update_added on %s', v_table);
  end if;

  select format(
    'pg_catalog.record_image_ne(row(%s), row(%s))',
    string_agg(format('old.%I', captured.name), ', '),
    string_agg(format('new.%I', captured.name), ', ')
  )
  into v_differs
  from registry_stats.captured_columns(attach_capture.source) as captured
  where captured.name is not null;

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

    -- An update may move a row to another partition, which a row trigger does not see. So it is
    -- captured as a delete of the old rows and an insert of the new ones.
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
      -- A row trigger with a condition: transition tables cannot have a column list, and the ORM
      -- sets every column. Each statement parses the condition, so it is one row comparison. It
      -- calls a function, because a restored dump would split a row operator into one per column.
      execute format(
        'create or replace trigger registry_stats_update after update on %s
        for each row when (%s) execute function %s()',
        v_relation, v_differs, v_update
      );
    end if;
  end loop;

  return true;
end
$$;

comment on function registry_stats.attach_capture(text) is
  'Creates the capture triggers on a table if one is missing or disabled.';
