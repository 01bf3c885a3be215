-- Refreshes the views of a job that somebody created again over the tables, in full, as Registry's own
-- functions do; returns which. Only those that can be refreshed while they are read.
create or replace function registry_stats.refresh_foreign_views(job text)
returns text[]
language plpgsql
set search_path = pg_catalog, pg_temp
-- With it on, PostgreSQL takes a quoted name for the half of another, and a concurrent refresh fails.
set quote_all_identifiers = off
as $$
declare
  v_views text[] := registry_stats.views_of(refresh_foreign_views.job);
  v_refreshed text[] := '{}';
  v_view text;
begin
  for v_view in
    select look.name
    from registry_stats.look_at_views(v_views) as look
    join pg_class on pg_class.oid = to_regclass(format('public.%I', look.name))
    where look.state = 'foreign'
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
    order by array_position(v_views, look.name)
  loop
    if registry_stats.refresh_view(v_view) then
      v_refreshed := v_refreshed || v_view;
    end if;
  end loop;
  return v_refreshed;
end
$$;

comment on function registry_stats.refresh_foreign_views(text) is
  'Refreshes in full the views of a job that somebody created again over the tables.';
