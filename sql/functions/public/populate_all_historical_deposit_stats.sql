-- Registry's function: inserts the missing months of the history. Does nothing while another
-- session is running.
create or replace function public.populate_all_historical_deposit_stats()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
  perform registry_stats.run_public('populate_all_historical_deposit_stats');
end
$$;

comment on function public.populate_all_historical_deposit_stats() is
  'Inserts the missing months of the history since 2014-01, and the zero rows.';
