-- Records that jobs were checked and have nothing to do.
create or replace function registry_stats.record_check(jobs text[], trigger text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A check that is lost in a crash is repeated, so it need not wait for the disk. A transaction of
  -- Registry's may have more to lose.
  if record_check.trigger <> 'sql' then
    perform set_config('synchronous_commit', 'off', true);
  end if;
  update registry_stats.job
  set
    last_check = clock_timestamp(),
    outcome = 'skipped',
    reason = case name
      when 'populate_all_historical_deposit_stats' then 'complete'
      else 'unchanged'
    end,
    data_as_of = transaction_timestamp(),
    consecutive_failures = 0
  where name in (
    -- Never waits. A session that holds the row writes a newer record than this one.
    select job.name
    from registry_stats.job
    where job.name = any (record_check.jobs)
    for update skip locked
  );
end
$$;

comment on function registry_stats.record_check(text[], text) is
  'Records that jobs were checked and have nothing to do.';
