-- Registry's function: keeps the four count views fresh. Returns 1 = refreshed, 0 = not needed, or
-- done by another session at this moment.
create or replace function public.update_counts()
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.run_public('update_counts')
$$;

comment on function public.update_counts() is
  'Refreshes the count views that moved on: 1 = refreshed, 0 = not needed.';
