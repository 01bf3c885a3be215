-- Creates the unique index of a statistics view, under its own name if that is free.
create or replace function registry_stats.index_view(schema text, view text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_index record;
begin
  select name, columns into v_index from registry_stats.view_index(index_view.view);
  execute format(
    'create unique index %s on %I.%I (%s)',
    case
      when to_regclass(format('%I.%I', index_view.schema, v_index.name)) is null
        then quote_ident(v_index.name)
      else ''
    end,
    index_view.schema,
    index_view.view,
    v_index.columns
  );
end
$$;

comment on function registry_stats.index_view(text, text) is
  'Creates the unique index of a statistics view.';
