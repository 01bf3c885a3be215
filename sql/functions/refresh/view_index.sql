-- Returns the unique index of a statistics view, which a concurrent refresh needs.
create or replace function registry_stats.view_index(view text, out name text, out columns text)
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select
    case view_index.view
      when 'current_deposit_stats' then 'ix_current_deposits_inst_id_storage_option'
      else 'ix_' || view_index.view
    end,
    case view_index.view
      when 'current_deposit_stats' then 'institution_id, storage_option'
      else (
        select concat_ws(
          ', ',
          quote_ident(source.institution_column),
          quote_ident(source.facet_column),
          quote_ident(source.subfacet_column)
        )
        from registry_stats.source
        where source.view = view_index.view
      )
    end
$$;

comment on function registry_stats.view_index(text) is 'The unique index of a statistics view.';
