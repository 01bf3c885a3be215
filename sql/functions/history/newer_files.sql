-- Returns the active files that do not count at a date: created on it or later, or without a time of
-- creation. By object, institution and storage option. The index on created_at finds them.
create or replace function registry_stats.newer_files(date date)
returns table (
  object_key bigint,
  institution_id bigint,
  storage_option varchar,
  file_count bigint,
  total_bytes numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set row_security = off
-- The table statistics are older than the newest files.
set enable_seqscan = off
set jit = off
as $$
declare
  v_column jsonb := (
    select jsonb_object_agg(captured.slot, captured.expression)
    from registry_stats.captured_columns('generic_files') as captured
  );
begin
  return query execute format(
    $query$
      select coalesce(%2$s::bigint, -2147483649), %3$s::bigint, %4$s, count(*), coalesce(sum(%5$s), 0)
      from public.generic_files
      where %6$s = 'A'
        and (created_at >= %1$L::timestamp or created_at is null)
      group by 1, 2, 3
    $query$,
    newer_files.date,
    v_column ->> 'object_id',
    v_column ->> 'institution_id',
    v_column ->> 'storage_option',
    v_column ->> 'byte_count',
    v_column ->> 'facet'
  );
end
$$;

comment on function registry_stats.newer_files(date) is
  'The active files that do not count at a date, by the index on created_at.';
