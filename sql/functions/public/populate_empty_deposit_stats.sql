-- Registry's function: adds zero rows until every institution and every storage option in the
-- history has a row in each of its months. Returns 1 = added, 0 = complete already.
create or replace function public.populate_empty_deposit_stats()
returns integer
language sql
volatile
set search_path = pg_catalog, pg_temp
as $$
  select registry_stats.insert_zeros()
$$;

comment on function public.populate_empty_deposit_stats() is
  'Fills the grid of months, institutions and storage options with zero rows: 1 = added, 0 = full.';
