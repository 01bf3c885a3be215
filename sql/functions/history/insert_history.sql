-- Inserts the deposit statistics of any number of dates, at today's prices. Returns the number of
-- rows. The caller has checked that the dates have no rows, and holds registry_stats.try_lock(), so
-- that no other session inserts them.
create or replace function registry_stats.insert_history(dates date[])
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_rows bigint;
begin
  insert into public.historical_deposit_stats (
    institution_id,
    institution_name,
    storage_option,
    object_count,
    file_count,
    total_bytes,
    total_gb,
    total_tb,
    cost_gb_per_month,
    monthly_cost,
    end_date,
    member_institution_id,
    primary_sort,
    secondary_sort
  )
  select
    deposits.institution_id,
    case when deposits.institution_id is null then 'All Institutions' else institution.name end
      ::varchar(80),
    coalesce(deposits.storage_option, 'Total')::varchar(40),
    deposits.object_count,
    deposits.file_count,
    deposits.total_bytes,
    deposits.total_bytes / 1073741824,
    deposits.total_bytes / 1099511627776,
    coalesce(option.cost_gb_per_month, 0),
    coalesce(deposits.total_bytes / 1073741824 * option.cost_gb_per_month, 0),
    deposits.end_date,
    institution.member_institution_id,
    case when deposits.institution_id is null then 'zzz' else institution.name end,
    coalesce(deposits.storage_option, 'zzz')
  from registry_stats.deposits_at(insert_history.dates) as deposits
  left join public.institutions as institution
    on institution.id = deposits.institution_id
  left join public.storage_options as option
    on option.name = deposits.storage_option;

  get diagnostics v_rows = row_count;

  -- The snapshot of repeatable read may be older than the lock, and miss rows that another session
  -- inserted. No key prevents two grand totals of a month. Both sessions write this row, so the
  -- second one fails and is retried.
  insert into registry_stats.epoch (name) values ('history')
  on conflict (name) do update set number = epoch.number + 1;

  return v_rows;
end
$$;

comment on function registry_stats.insert_history(date[]) is
  'Inserts the deposit statistics of dates that the history lacks.';
