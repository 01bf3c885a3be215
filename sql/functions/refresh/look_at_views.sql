-- Returns the state of each statistics view in the catalog:
--   ok         reads our rollups, and can be refreshed concurrently
--   empty      is not populated, so it cannot be read
--   unindexed  its unique index is missing
--   foreign    does not read our rollups: it was replaced
--   missing    does not exist
--   other      is not a materialized view, or our role is not a member of its owner
-- Each check reads the catalog, because Registry's owner may change the views at any time.
create or replace function registry_stats.look_at_views(views text[] default null)
returns table (name text, state text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- Index scans only: catalogs are large, and there are five views.
set enable_hashjoin = off
set enable_mergejoin = off
set enable_seqscan = off
as $$
begin
  return query
    select
      view.name,
      case
        when shown.oid is null then 'missing'
        when shown.relkind <> 'm' or not pg_has_role(shown.relowner, 'usage') then 'other'
        when not exists (
          select
          from pg_depend
          where pg_depend.classid = 'pg_rewrite'::regclass
            and pg_depend.objid = (
              select pg_rewrite.oid from pg_rewrite where pg_rewrite.ev_class = shown.oid
            )
            and pg_depend.refclassid = 'pg_class'::regclass
            and pg_depend.refobjid in (
              'registry_stats.count_rollup'::regclass, 'registry_stats.deposit_total'::regclass
            )
        ) then 'foreign'
        when not shown.relispopulated then 'empty'
        when not exists (
          select
          from pg_index
          where indrelid = shown.oid
            and indisunique
            and indisvalid
            and indpred is null
            and indexprs is null
        ) then 'unindexed'
        else 'ok'
      end
    from registry_stats.view
    left join pg_class as shown on shown.oid = to_regclass('public.' || quote_ident(view.name))
    where look_at_views.views is null
      or view.name = any (look_at_views.views);
end
$$;

comment on function registry_stats.look_at_views(text[]) is
  'State of each statistics view in the catalog.';
