-- Writes that a job was looked at and nothing was to be done.
create or replace function registry_stats.record_check(job text, trigger text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A check that is lost in a crash is made again: not worth a wait for the disk. But in a transaction
  -- of Registry's there may be more to lose than the check.
  if record_check.trigger <> 'sql' then
    perform set_config('synchronous_commit', 'off', true);
  end if;
  update registry_stats.job
  set
    last_check = clock_timestamp(),
    outcome = 'skipped',
    reason = case record_check.job
      when 'populate_all_historical_deposit_stats' then 'complete'
      else 'unchanged'
    end,
    data_as_of = transaction_timestamp(),
    consecutive_failures = 0
  where name in (
    -- Never waits. A session that holds the row for long wrote a newer record than this one.
    select job.name
    from registry_stats.job
    where job.name = record_check.job
    for update skip locked
  );
end
$$;

comment on function registry_stats.record_check(text, text) is
  'Writes that a job was looked at and nothing was to be done.';
