-- The statement that makes the capture function of a table and an event: insert, delete or update. A
-- function a table, in plain SQL: a statement put together at each call takes five times as long.
--
-- The columns go by name, so nothing of the table depends on the function: it can be dropped, and its
-- types changed. Where a column is renamed or gone, the first block of the function fails, and nothing
-- else: the writer goes on, and the table is marked. A block that writes nothing takes no transaction id.
create or replace function registry_stats.capture_definition(source text, event text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $definition$
declare
  v_slots text;
  v_bytes text;
  v_row text := case capture_definition.event when 'delete' then 'removed' else 'added' end;
  v_sign text := case capture_definition.event when 'delete' then '-' else '' end;
  v_keys text;
  v_old text;
  v_new text;
  v_all text;
  v_look text;
  v_change text;
begin
  select
    string_agg(captured.slot, ', ') filter (where captured.slot <> 'byte_count'),
    string_agg(v_row || '.' || captured.expression, ', ') filter (
      where captured.slot <> 'byte_count'
    ),
    string_agg('old.' || captured.expression, ', ') filter (where captured.slot <> 'byte_count'),
    string_agg('new.' || captured.expression, ', ') filter (where captured.slot <> 'byte_count'),
    string_agg(v_row || '.' || captured.expression, ', '),
    string_agg(captured.expression, '') filter (where captured.slot = 'byte_count')
  into v_slots, v_keys, v_old, v_new, v_all, v_bytes
  from registry_stats.captured_columns(capture_definition.source) as captured
  where captured.name is not null;

  if capture_definition.event = 'update' then
    v_look := format(
      'perform %s;',
      replace(v_old || coalesce(', old.' || v_bytes, ''), 'old.', 'new.')
    );
    v_change := format(
      E'values\n    (%L, %s, -1%s),\n    (%1$L, %4$s, 1%5$s)',
      capture_definition.source,
      v_old,
      coalesce(', -coalesce(old.' || v_bytes || '::numeric, 0)', ''),
      v_new,
      coalesce(', coalesce(new.' || v_bytes || ', 0)', '')
    );
  else
    v_look := format('perform from %s where false and row(%s) is null;', v_row, v_all);
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
    v_look,
    v_slots,
    case when v_bytes is not null then ', byte_count' else '' end,
    v_change
  );
end
$definition$;

comment on function registry_stats.capture_definition(text, text) is
  'The statement that makes the capture function of a table and an event.';
