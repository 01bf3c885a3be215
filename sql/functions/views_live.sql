-- registry_stats.live_<view>: each statistics view with what is pending added, exact at the moment of
-- reading. From the same text as the materialized view.
do $$
declare
  v_view text;
begin
  for v_view in select name from registry_stats.view order by name loop
    execute format(
      'create or replace view registry_stats.%I as %s',
      'live_' || v_view, registry_stats.view_definition(v_view, true)
    );
    execute format(
      'comment on view registry_stats.%I is %L',
      'live_' || v_view, 'public.' || v_view || ' as it would be after a refresh at this moment.'
    );
  end loop;
end
$$;
