-- Registry's function: inserts the missing months of the history. Does nothing while another session
-- is at it.
create or replace function public.populate_all_historical_deposit_stats()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id bigint := registry_stats.begin_run('populate_all_historical_deposit_stats', 'sql');
  v_run record;
begin
  if v_id is null then
    return;
  end if;

  v_run := registry_stats.run_history();
  -- Months are looked for as of the transaction's begin, in a snapshot that is no older.
  perform registry_stats.finish_run(
    v_id,
    v_run.outcome,
    v_run.reason,
    data_as_of => case
      when v_run.reason is distinct from 'busy' then transaction_timestamp()
    end
  );
end
$$;

comment on function public.populate_all_historical_deposit_stats() is
  'Inserts the missing months of the history since 2014-01, and the zero rows.';
