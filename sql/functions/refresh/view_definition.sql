-- Returns the query of a statistics view over the rollups, or with pending deltas added ("live").
-- One text serves the materialized and the live view. Columns, order and types are those of 001.
create or replace function registry_stats.view_definition(view text, is_live boolean)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select case
    when view_definition.view = 'current_deposit_stats' then format(
      $definition$
        select
          total.institution_id::int,
          institution.member_institution_id,
          case when total.institution_id is null then 'All Institutions' else institution.name end
            ::varchar as institution_name,
          coalesce(total.storage_option, 'Total')::varchar as storage_option,
          total.file_count,
          total.object_count,
          total.total_bytes,
          total.total_bytes / 1073741824 as total_gb,
          total.total_bytes / 1099511627776 as total_tb,
          option.cost_gb_per_month,
          total.total_bytes / 1073741824 * option.cost_gb_per_month as monthly_cost,
          current_timestamp as end_date,
          case when total.institution_id is null then 'zzz' else institution.name end
            ::varchar as primary_sort,
          coalesce(total.storage_option, 'zzz')::varchar as secondary_sort
        from registry_stats.%I as total
        left join public.institutions as institution on institution.id = total.institution_id
        left join public.storage_options as option on option.name = total.storage_option
      $definition$,
      case when view_definition.is_live then 'live_deposit_total' else 'deposit_total' end
    )
    else (
      select format(
        $definition$
        select
          %s
          coalesce(sum(rollup.row_count), 0)::bigint as row_count,
          rollup.facet as %I,
          %s
          current_timestamp as updated_at
        from registry_stats.%I as rollup
        where rollup.source = %L
        group by cube (%s)
        $definition$,
        'rollup.institution_id::int as ' || quote_ident(source.institution_column) || ',',
        source.facet_column,
        'rollup.subfacet as ' || quote_ident(source.subfacet_column) || ',',
        case when view_definition.is_live then 'live_count' else 'count_rollup' end,
        source.name,
        concat_ws(
          ', ',
          case when source.institution_column is not null then 'rollup.institution_id' end,
          'rollup.facet',
          case when source.subfacet_column is not null then 'rollup.subfacet' end
        )
      )
      from registry_stats.source
      where source.view = view_definition.view
    )
  end
$$;

comment on function registry_stats.view_definition(text, boolean) is
  'The query of a statistics view over the rollups, or live.';
