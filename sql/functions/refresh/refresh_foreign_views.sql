-- Refreshes in full the views of a job that were replaced by views over the tables, as Registry's
-- own functions do. Returns their names. Skips those that cannot be refreshed concurrently.
create or replace function registry_stats.refresh_foreign_views(job text)
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
-- With this on, PostgreSQL misreads quoted names, and a concurrent refresh fails.
set quote_all_identifiers = off
as $$
declare
  v_views text[] := registry_stats.views_of(refresh_foreign_views.job);
  v_refreshed text[] := '{}';
  v_view text;
begin
  for v_view in
    select checked.name
    from registry_stats.look_at_views(v_views) as checked
    join pg_class on pg_class.oid = to_regclass(format('public.%I', checked.name))
    where checked.state = 'foreign'
      and pg_class.relispopulated
      and exists (
        select
        from pg_index
        where indrelid = pg_class.oid
          and indisunique
          and indisvalid
          and indpred is null
          and indexprs is null
      )
    order by array_position(v_views, checked.name)
  loop
    if registry_stats.refresh_view(v_view) then
      v_refreshed := v_refreshed || v_view;
    end if;
  end loop;
  return v_refreshed;
end
$$;

comment on function registry_stats.refresh_foreign_views(text) is
  'Refreshes in full the views of a job that were replaced by views over the tables.';
