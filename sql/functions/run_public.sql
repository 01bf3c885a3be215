-- The answer of Registry's functions: 1 = refreshed, 0 = not. While the views still scan the tables
-- (between the migration and registry_stats.swap_views) they are refreshed in full, as before.
-- A table that must be rebuilt is left to the daemon: in a transaction of Registry's the rebuild
-- would lock the table against its writers.
create or replace function registry_stats.run_public(job text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run record;
  v_view text;
begin
  v_run := registry_stats.run(run_public.job);
  if v_run.reason = 'capturing' then
    for v_view in
      select view.name
      from registry_stats.view
      where (view.name = 'current_deposit_stats')
        = (run_public.job = 'update_current_deposit_stats')
    loop
      execute format('refresh materialized view concurrently public.%I', v_view);
    end loop;
    return 1;
  end if;
  return case v_run.outcome when 'refreshed' then 1 else 0 end;
end
$$;

comment on function registry_stats.run_public(text) is
  'Runs a job for Registry''s functions: 1 = refreshed, 0 = not.';
