-- Returns the statement that creates the capture function of a table and an event: insert, delete
-- or update. The function has static SQL: dynamic SQL takes five times as long.
--
-- The function uses columns by name, so the owner can drop a column or change its type. If a column
-- is renamed or dropped, only the first block of the function fails: the writer continues, and the
-- table is marked. A block that writes nothing uses no transaction id.
create or replace function registry_stats.capture_definition(source text, event text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $definition$
declare
  v_slots text;
  v_bytes text;
  v_row text := case capture_definition.event
    when 'insert' then 'added'
    when 'delete' then 'removed'
    else 'new'
  end;
  v_sign text := case capture_definition.event when 'delete' then '-' else '' end;
  v_keys text;
  v_old text;
  v_all text;
  v_probe text;
  v_change text;
begin
  select
    string_agg(captured.slot, ', ') filter (where captured.slot <> 'byte_count'),
    string_agg(v_row || '.' || captured.expression, ', ') filter (
      where captured.slot <> 'byte_count'
    ),
    string_agg('old.' || captured.expression, ', ') filter (where captured.slot <> 'byte_count'),
    string_agg(v_row || '.' || captured.expression, ', '),
    string_agg(captured.expression, '') filter (where captured.slot = 'byte_count')
  into v_slots, v_keys, v_old, v_all, v_bytes
  from registry_stats.captured_columns(capture_definition.source) as captured
  where captured.name is not null;

  if capture_definition.event = 'update' then
    -- An expression: per row, it takes a fraction of the time of a query.
    v_probe := format('if row(%s) is null then end if;', v_all);
    v_change := format(
      E'values\n    (%L, %s, -1%s),\n    (%1$L, %4$s, 1%5$s)',
      capture_definition.source,
      v_old,
      coalesce(', -coalesce(old.' || v_bytes || '::numeric, 0)', ''),
      v_keys,
      coalesce(', coalesce(new.' || v_bytes || ', 0)', '')
    );
  else
    v_probe := format('perform from %s where false and row(%s) is null;', v_row, v_all);
    v_change := format(
      E'select %L, %s, %scount(*)%s\n  from %s\n  group by %2$s',
      capture_definition.source,
      v_keys,
      v_sign,
      coalesce(', ' || v_sign || 'coalesce(sum(' || v_row || '.' || v_bytes || '), 0)', ''),
      v_row
    );
  end if;

  return format(
    $function$create or replace function registry_stats.%1$I()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $capture$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> %2$L)
    and not registry_stats.is_counted(%2$L, tg_relid)
  then
    return null;
  end if;

  begin
    %3$s
  exception when others then
    perform registry_stats.mark(%2$L, 'a captured column was renamed or dropped');
    return null;
  end;

  insert into registry_stats.delta (source, %4$s, row_count%5$s)
  %6$s;

  return null;
end
$capture$$function$,
    format('capture_%s_%s', capture_definition.source, capture_definition.event),
    capture_definition.source,
    v_probe,
    v_slots,
    case when v_bytes is not null then ', byte_count' else '' end,
    v_change
  );
end
$definition$;

comment on function registry_stats.capture_definition(text, text) is
  'The statement that creates the capture function of a table and an event.';
