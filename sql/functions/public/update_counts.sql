-- Registry's function: refreshes the count views. Returns 1 = refreshed, 0 = not needed, or another
-- session is running.
create or replace function public.update_counts()
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.run_public('update_counts')
$$;

comment on function public.update_counts() is
  'Refreshes the count views that are due: 1 = refreshed, 0 = not needed.';
