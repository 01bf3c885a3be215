-- What the catalog says of the statistics views, a row a view:
--   ok         reads our rollups, and can be refreshed while it is read
--   empty      was never filled, or emptied: nobody can read it
--   unindexed  its unique index is gone
--   foreign    reads something else: somebody made it again
--   missing    is gone
--   other      is no materialized view, or belongs to a role that ours is no member of
-- Looked up at each check, never remembered: Registry's people change their views without telling us.
create or replace function registry_stats.look_at_views(views text[] default null)
returns table (name text, state text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
-- By keys: catalogs are large, and there are five views.
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

comment on function registry_stats.look_at_views(text[]) is 'What the catalog says of the statistics views.';
