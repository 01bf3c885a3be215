-- Creates registry_stats.live_<view>: each statistics view with pending deltas added, exact at the
-- moment of reading. Uses the same query text as the materialized view.
create or replace function registry_stats.make_live_views()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_view text;
begin
  for v_view in
    select view from registry_stats.source
    union all
    select 'current_deposit_stats' from registry_stats.source where object_column is not null
  loop
    execute format(
      'create or replace view registry_stats.%I as %s',
      'live_' || v_view, registry_stats.view_definition(v_view, true)
    );
    execute format(
      'comment on view registry_stats.%I is %L',
      'live_' || v_view, 'public.' || v_view || ' as it would be after a refresh now.'
    );
  end loop;
end
$$;

comment on function registry_stats.make_live_views() is
  'Creates each statistics view with pending deltas added.';
