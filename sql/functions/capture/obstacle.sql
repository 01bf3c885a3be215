-- Returns why the rows of a table cannot be captured, and what to do; NULL if they can. Only the
-- owner of the table can fix these causes.
create or replace function registry_stats.obstacle(source text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_table regclass := to_regclass(format('public.%I', obstacle.source));
  v_class pg_class;
  v_gone text;
  v_mistyped text;
begin
  if v_table is null then
    return format('table public.%I is gone', obstacle.source);
  end if;

  select * into v_class from pg_class where oid = v_table;
  if v_class.relkind not in ('r', 'p') then
    return format('public.%I is not a table', obstacle.source);
  end if;
  if v_class.relkind = 'r' and v_class.relhassubclass and exists (
    select from pg_inherits where inhparent = v_table
  ) then
    return format(
      'other tables inherit from it, and their rows count but are not captured; '
      'alter table %s no inherit %s',
      (select min(inhrelid::regclass::text) from pg_inherits where inhparent = v_table),
      v_table
    );
  end if;
  if row_security_active(v_table) then
    return format(
      'row level security hides rows from role %s; alter table %s no force row level security',
      current_user, v_table
    );
  end if;

  select
    string_agg(captured.declared, ', ') filter (where captured.name is null),
    string_agg(format('%s has type %s', captured.name, captured.type), ', ') filter (
      where captured.slot in ('institution_id', 'object_id')
        and captured.type not in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
      or captured.slot = 'byte_count'
        and captured.type not in (
          'smallint'::regtype, 'integer'::regtype, 'bigint'::regtype, 'numeric'::regtype
        )
    )
  into v_gone, v_mistyped
  from registry_stats.captured_columns(obstacle.source) as captured
  where captured.declared is not null;

  return coalesce(
    'its column ' || v_gone || ' is gone; add it again, or upgrade registry-stats',
    'its column ' || v_mistyped || ', expected a number; alter its type, or upgrade registry-stats'
  );
end
$$;

comment on function registry_stats.obstacle(text) is
  'Why the rows of a table cannot be captured, and what to do; NULL if they can.';
