-- Counts active files by object, institution, storage option and bucket: the bucket before the
-- first edge that is later than the file's creation. Leaves out files after the last edge.
--
-- A separate function, because "return query" may run in parallel and "insert … select" may not.
-- The edges are a literal in the query: an array in a variable is expanded again for each row.
create or replace function registry_stats.file_buckets(edges timestamp[])
returns table (
  object_key bigint,
  institution_id bigint,
  storage_option varchar,
  bucket int,
  file_count bigint,
  total_bytes numeric
)
language plpgsql
stable
rows 100000
set search_path = pg_catalog, pg_temp
set work_mem = '64MB'
set jit = off
set row_security = off
-- The planner expects far more groups than there are, and would not use parallel workers.
set parallel_setup_cost = 0
set parallel_tuple_cost = 0
as $$
declare
  v_column jsonb := (
    select jsonb_object_agg(captured.slot, captured.expression)
    from registry_stats.captured_columns('generic_files') as captured
  );
begin
  return query execute format(
    $query$
      select
        coalesce(%3$s::bigint, -2147483649),
        %4$s::bigint,
        %5$s,
        width_bucket(created_at, %1$L::timestamp[]),
        count(*),
        coalesce(sum(%6$s), 0)
      from public.generic_files
      where %7$s = 'A'
        and created_at < %2$L::timestamp
      group by 1, 2, 3, 4
    $query$,
    file_buckets.edges,
    file_buckets.edges[cardinality(file_buckets.edges)],
    v_column ->> 'object_id',
    v_column ->> 'institution_id',
    v_column ->> 'storage_option',
    v_column ->> 'byte_count',
    v_column ->> 'facet'
  );
end
$$;

comment on function registry_stats.file_buckets(timestamp[]) is
  'Active files by object, institution, storage option and bucket of their creation.';
