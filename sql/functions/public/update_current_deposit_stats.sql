-- Registry's function: keeps current_deposit_stats fresh. Returns 1 = refreshed, 0 = not needed, or
-- done by another session at this moment.
create or replace function public.update_current_deposit_stats()
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.run_public('update_current_deposit_stats')
$$;

comment on function public.update_current_deposit_stats() is
  'Refreshes current_deposit_stats if it moved on: 1 = refreshed, 0 = not needed.';
