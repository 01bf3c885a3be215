-- Returns whether capture of a table is complete and uses its present columns. After a rename all
-- triggers exist, but their functions still use the old column name.
create or replace function registry_stats.is_attached(source text)
returns boolean
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return registry_stats.fingerprint(is_attached.source) is not null
    and (
      select array_agg(found.attnum)
      from registry_stats.captured_columns(is_attached.source) as found
    ) is not distinct from (
      select source.captured from registry_stats.source where source.name = is_attached.source
    )
    and not exists (
      select
      from unnest(array['insert', 'update', 'delete']) as event (name)
      left join pg_proc
        on pg_proc.oid = to_regprocedure(
          format('registry_stats.%I()', format('capture_%s_%s', is_attached.source, event.name))
        )
      where pg_proc.oid is null
        or strpos(
          registry_stats.capture_definition(is_attached.source, event.name), pg_proc.prosrc
        ) = 0
    );
end
$$;

comment on function registry_stats.is_attached(text) is
  'Whether capture of a table is complete and uses its present columns.';
