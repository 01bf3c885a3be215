-- Returns every difference between the statistics of one table and its rows. Compares rollups plus
-- pending deltas, totals, and each view that is not due. Stable, so all queries use the caller's
-- snapshot. Only reads, so it can run on a replica.
create or replace function registry_stats.differences(source text)
returns table (view text, key text, expected text, found text)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_source registry_stats.source;
  v_column jsonb;
  v_view text;
  v_columns text;
begin
  -- Fails for an undeclared table: this runs with the rights of the owner.
  select * into strict v_source
  from registry_stats.source
  where source.name = differences.source;
  v_column := (
    select jsonb_object_agg(captured.slot, captured.expression)
    from registry_stats.captured_columns(differences.source) as captured
  );
  return query execute format(
    $query$
      select
        'count_rollup',
        format(
          'institution %%s, %%s%%s',
          coalesce(institution_id::text, 'null'),
          coalesce(facet, 'null'),
          case when %L then ', ' || coalesce(subfacet, 'null') end
        ),
        sum(truth)::text,
        sum(rollup)::text
      from (
        select %s::bigint as institution_id, %s as facet, %s as subfacet, count(*) as truth, 0 as rollup
        from public.%I
        group by 1, 2, 3
        union all
        select institution_id, facet, subfacet, 0, row_count
        from registry_stats.live_count
        where source = %L
      ) as side
      group by institution_id, facet, subfacet
      having sum(truth) <> sum(rollup)
    $query$,
    v_source.subfacet_column is not null,
    v_column ->> 'institution_id',
    v_column ->> 'facet',
    v_column ->> 'subfacet',
    differences.source,
    differences.source
  );

  if v_source.object_column is not null then
    return query execute format(
      $query$
      select
        'deposit_rollup',
        format(
          'object %%s, institution %%s, %%s',
          coalesce(nullif(side.object_key, -2147483649)::text, 'null'),
          side.institution_id,
          side.storage_option
        ),
        format('%%s files, %%s bytes', sum(side.true_files), sum(side.true_bytes)),
        format('%%s files, %%s bytes', sum(side.files), sum(side.bytes))
      from (
        select
          coalesce(%1$s::bigint, -2147483649) as object_key,
          %2$s::bigint as institution_id,
          %3$s as storage_option,
          count(*) as true_files,
          coalesce(sum(%4$s), 0) as true_bytes,
          0 as files,
          0 as bytes
        from public.%5$I as file
        where %6$s = 'A'
        group by 1, 2, 3
        union all
        select object_key, institution_id, storage_option, 0, 0, file_count, total_bytes
        from registry_stats.live_deposit
      ) as side
      group by side.object_key, side.institution_id, side.storage_option
      having sum(side.true_files) <> sum(side.files) or sum(side.true_bytes) <> sum(side.bytes)
      $query$,
      v_column ->> 'object_id',
      v_column ->> 'institution_id',
      v_column ->> 'storage_option',
      v_column ->> 'byte_count',
      differences.source,
      v_column ->> 'facet'
    );

    return query
      select
        'deposit_total',
        format(
          'institution %s, %s',
          coalesce(side.institution_id::text, 'all'),
          coalesce(side.storage_option, 'all')
        ),
        string_agg(side.figures, '' order by side.figures) filter (where side.is_truth),
        string_agg(side.figures, '' order by side.figures) filter (where not side.is_truth)
      from (
        select
          institution_id,
          storage_option,
          format(
            '%s files, %s objects, %s bytes',
            coalesce(sum(file_count), 0),
            count(distinct nullif(object_key, -2147483649)),
            coalesce(sum(total_bytes), 0)
          ) as figures,
          true as is_truth
        from registry_stats.deposit_rollup
        group by cube (institution_id, storage_option)
        union all
        select
          institution_id,
          storage_option,
          format('%s files, %s objects, %s bytes', file_count, object_count, total_bytes),
          false
        from registry_stats.deposit_total
      ) as side
      group by side.institution_id, side.storage_option
      having string_agg(side.figures, '' order by side.figures) filter (where side.is_truth)
        is distinct from
        string_agg(side.figures, '' order by side.figures) filter (where not side.is_truth);
  end if;

  return query
    select checked.name, 'the view itself', 'reads our rollups, is populated', checked.state
    from registry_stats.look_at_views() as checked
    join registry_stats.view as shown on shown.name = checked.name
    where shown.source = differences.source
      and checked.state not in ('ok', 'unindexed');

  -- A view that is due is known to be out of date. One that another session refreshed is compared.
  for v_view in
    select shown.name
    from registry_stats.view as shown
    join registry_stats.look_at_views() as checked on checked.name = shown.name
    where shown.source = differences.source
      and checked.state in ('ok', 'unindexed')
      and not shown.is_due
      and (
        shown.name <> 'current_deposit_stats'
        or not registry_stats.shows_other_names()
      )
  loop
    select string_agg(quote_ident(attname), ', ' order by attnum)
    into v_columns
    from pg_attribute
    where attrelid = format('public.%I', v_view)::regclass
      and attnum > 0
      and attname <> case v_view when 'current_deposit_stats' then 'end_date' else 'updated_at' end;
    return query execute format(
      $query$
        with expected as (select %1$s from (%2$s) as definition),
        found as (select %1$s from public.%3$I)

        (select %3$L, missing::text, 'in the view', 'missing'
        from (select * from expected except all select * from found) as missing)
        union all
        (select %3$L, surplus::text, 'not in the view', 'in the view'
        from (select * from found except all select * from expected) as surplus)
      $query$,
      v_columns, registry_stats.view_definition(v_view, false), v_view
    );
  end loop;
end
$$;

comment on function registry_stats.differences(text) is
  'Every difference between the statistics of a table and its rows, in one snapshot.';
