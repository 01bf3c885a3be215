-- Registry's function: refreshes current_deposit_stats. Returns 1 = refreshed, 0 = not needed, or
-- another session is running.
create or replace function public.update_current_deposit_stats()
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.run_public('update_current_deposit_stats')
$$;

comment on function public.update_current_deposit_stats() is
  'Refreshes current_deposit_stats if it is due: 1 = refreshed, 0 = not needed.';
