-- Refreshes one view from the rollups, which are small, and puts right what a refresh needs: the unique
-- index, if it is gone. A view that is not populated cannot be refreshed concurrently, and nobody can
-- read it: it is refreshed at once. The error of a wait that took too long says who was in the way.
create or replace function registry_stats.refresh_view(view text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_state text := (
    select look.state
    from registry_stats.look_at_views() as look
    where look.name = refresh_view.view
  );
begin
  if v_state = 'unindexed' then
    perform registry_stats.index_view('public', refresh_view.view);
  end if;
  execute format(
    'refresh materialized view %s public.%I',
    case when v_state <> 'empty' then 'concurrently' else '' end,
    refresh_view.view
  );
exception when lock_not_available then
  raise exception 'registry_stats: no lock on public.%', refresh_view.view
    using
      errcode = 'lock_not_available',
      detail = registry_stats.blockers(format('public.%I', refresh_view.view)::regclass);
end
$$;

comment on function registry_stats.refresh_view(text) is 'Refreshes one view from the rollups.';
