-- Counts the rows in a range of blocks of one of Registry's tables, by the keys of the rollups.
-- registry_stats.rebuild calls it once per range, to report progress.
--
-- Written for parallel workers. One process reads a ctid range alone, so the blocks are split into
-- sixteen ranges: with four, some processes wait for the last one. "return query" may run in
-- parallel, "insert … select" may not.
create or replace function registry_stats.scan_blocks(
  source text,
  from_block bigint,
  to_block bigint
)
returns table (
  institution_id bigint,
  facet varchar,
  subfacet varchar,
  object_key bigint,
  storage_option varchar,
  row_count bigint,
  byte_count numeric
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set jit = off
set row_security = off
-- The planner would find a single range too small for parallel workers.
set parallel_setup_cost = 0
set parallel_tuple_cost = 0
as $$
declare
  v_is_deposit boolean;
  v_columns text;
  v_sums text := 'institution_id, facet, subfacet, null::bigint, null::varchar, count(*), 0::numeric';
  v_keys text := 'institution_id, facet, subfacet';
  v_ranges text;
begin
  select
    string_agg(
      format(
        case
          when captured.slot = 'object_id'
            then 'case when %3$s = ''A'' then coalesce(%1$s::bigint, -2147483649) end as object_key'
          when captured.slot = 'institution_id' then '%1$s::bigint as %2$s'
          when captured.slot = 'storage_option'
            then 'case when %3$s = ''A'' then %1$s end as storage_option'
          else '%1$s as %2$s'
        end,
        captured.expression,
        captured.slot,
        (
          select facet.expression
          from registry_stats.captured_columns(scan_blocks.source) as facet
          where facet.slot = 'facet'
        )
      ),
      ', '
    ),
    bool_or(captured.slot = 'object_id' and captured.declared is not null)
  into v_columns, v_is_deposit
  from registry_stats.captured_columns(scan_blocks.source) as captured;
  if v_is_deposit then
    v_sums := 'institution_id, facet, subfacet, object_key, storage_option, count(*),
      coalesce(sum(byte_count), 0)';
    v_keys := 'institution_id, facet, subfacet, object_key, storage_option';
  end if;

  select string_agg(
    format(
      'select %s from public.%I where ctid >= %L and ctid < %L',
      v_columns,
      scan_blocks.source,
      format('(%s,0)', scan_blocks.from_block + step.blocks * part / 16),
      format('(%s,0)', scan_blocks.from_block + step.blocks * (part + 1) / 16)
    ),
    ' union all '
  )
  into v_ranges
  from generate_series(0, 15) as part
  cross join (select scan_blocks.to_block - scan_blocks.from_block as blocks) as step;

  return query execute format(
    'select %s from (%s) as part group by %s', v_sums, v_ranges, v_keys
  );
end
$$;

comment on function registry_stats.scan_blocks(text, bigint, bigint) is
  'Counts the rows in a range of blocks of a captured table.';
