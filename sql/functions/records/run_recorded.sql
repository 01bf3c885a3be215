-- Does the work of a run that begin_run recorded, and records its end in the same transaction: the
-- record and the figures become visible together. `repaired` lists what the caller has repaired,
-- for the record. rows_folded, changes and views_refreshed come from registry_stats.run,
-- months_inserted and rows_inserted from registry_stats.run_history. The others are NULL.
create or replace function registry_stats.run_recorded(
  in run_id bigint,
  in repaired text default null,
  out outcome text,
  out reason text,
  out detail text,
  out rows_folded bigint,
  out changes bigint,
  out views_refreshed text[],
  out months_inserted int,
  out rows_inserted bigint
)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_run registry_stats.run;
  v_data_as_of timestamptz;
  v_foreign text[];
begin
  select run.*
  into strict v_run
  from registry_stats.run
  where run.id = run_recorded.run_id;

  if v_run.job = 'populate_all_historical_deposit_stats' then
    select done.outcome, done.reason, done.detail, done.months_inserted, done.rows_inserted
    into outcome, reason, detail, months_inserted, rows_inserted
    from registry_stats.run_history() as done;
    -- The history is complete up to the start of the transaction; the snapshot is not older.
    v_data_as_of := case when reason is distinct from 'busy' then transaction_timestamp() end;
  else
    select
      done.outcome,
      done.reason,
      done.detail,
      done.rows_folded,
      done.changes,
      done.views_refreshed,
      done.data_as_of
    into outcome, reason, detail, rows_folded, changes, views_refreshed, v_data_as_of
    from registry_stats.run(v_run.job) as done;
    if v_run.trigger = 'sql' and reason is distinct from 'busy' then
      v_foreign := registry_stats.refresh_foreign_views(v_run.job);
      if cardinality(v_foreign) > 0 then
        views_refreshed := views_refreshed || v_foreign;
        outcome := 'refreshed';
      end if;
    end if;
  end if;

  perform registry_stats.finish_run(
    run_recorded.run_id,
    outcome,
    nullif(concat_ws('; ', run_recorded.repaired, coalesce(detail, reason)), ''),
    rows_folded,
    changes,
    views_refreshed,
    v_data_as_of
  );
end
$$;

comment on function registry_stats.run_recorded(bigint, text) is
  'Does the work of a recorded run, and records its end.';
