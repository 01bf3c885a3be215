-- The way of Registry's functions: the same run as the daemon's, with its record in the same
-- transaction. Answers 1 = refreshed, 0 = not. A view that somebody created again over the tables is
-- refreshed in full, as before us. A table that must be rebuilt is left to the daemon: here the rebuild
-- would lock the table against its writers.
create or replace function registry_stats.run_public(job text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
-- With it on, PostgreSQL takes a quoted name for the half of another, and a concurrent refresh fails.
set quote_all_identifiers = off
as $$
declare
  v_id bigint := registry_stats.begin_run(run_public.job, 'sql');
  v_run record;
  v_view text;
begin
  if v_id is null then
    return 0;
  end if;

  if run_public.job = 'populate_all_historical_deposit_stats' then
    v_run := registry_stats.run_history();
    -- Months are looked for as of the transaction's begin, in a snapshot that is no older.
    perform registry_stats.finish_run(
      v_id,
      v_run.outcome,
      coalesce(v_run.detail, v_run.reason),
      data_as_of => case
        when v_run.reason is distinct from 'busy' then transaction_timestamp()
      end
    );
    return case v_run.outcome when 'refreshed' then 1 else 0 end;
  end if;

  v_run := registry_stats.run(run_public.job);
  if v_run.reason is distinct from 'busy' then
    for v_view in
      select look.name
      from registry_stats.look_at_views() as look
      join pg_class on pg_class.oid = to_regclass(format('public.%I', look.name))
      where look.state = 'foreign'
        and pg_class.relispopulated
        and exists (
          select
          from pg_index
          where indrelid = pg_class.oid
            and indisunique
            and indisvalid
            and indpred is null
            and indexprs is null
        )
        and look.name = any (registry_stats.views_of(run_public.job))
      order by array_position(registry_stats.views_of(run_public.job), look.name)
    loop
      if registry_stats.refresh_view(v_view) then
        v_run.views_refreshed := v_run.views_refreshed || v_view;
        v_run.outcome := 'refreshed';
      end if;
    end loop;
  end if;

  perform registry_stats.finish_run(
    v_id,
    v_run.outcome,
    coalesce(v_run.detail, v_run.reason),
    v_run.rows_folded,
    v_run.views_refreshed,
    v_run.data_as_of
  );
  return case v_run.outcome when 'refreshed' then 1 else 0 end;
end
$$;

comment on function registry_stats.run_public(text) is
  'Runs a job for Registry''s functions: 1 = refreshed, 0 = not.';
