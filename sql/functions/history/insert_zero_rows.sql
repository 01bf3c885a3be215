-- Adds zero rows until every institution and every storage option in the history has a row in each
-- of its months. Returns the number of rows. The caller holds registry_stats.try_lock().
create or replace function registry_stats.insert_zero_rows()
returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
set row_security = off
as $$
declare
  v_added bigint;
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
  with known_institution as (
    select
      -- The planner can hash and merge on a substitute for NULL, not on "is not distinct from".
      coalesce(history.institution_id, -1) as institution_key,
      max(history.institution_name) as last_known_name
    from public.historical_deposit_stats as history
    group by 1
  ),

  known_option as (
    select distinct history.storage_option
    from public.historical_deposit_stats as history
  ),

  known_month as (
    select distinct history.end_date
    from public.historical_deposit_stats as history
  ),

  present as (
    select
      coalesce(history.institution_id, -1) as institution_key,
      history.storage_option,
      history.end_date
    from public.historical_deposit_stats as history
  )

  select
    nullif(known_institution.institution_key, -1),
    coalesce(institution.name, known_institution.last_known_name)::varchar(80),
    known_option.storage_option,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    known_month.end_date,
    case
      when known_institution.institution_key = -1 then 0
      else institution.member_institution_id
    end,
    case
      when known_institution.institution_key = -1 then 'zzz'
      else coalesce(institution.name, known_institution.last_known_name)
    end,
    case when known_option.storage_option = 'Total' then 'zzz' else known_option.storage_option end
  from known_institution
  cross join known_option
  cross join known_month
  left join public.institutions as institution
    on institution.id = known_institution.institution_key
  left join present
    on present.institution_key = known_institution.institution_key
    and present.storage_option = known_option.storage_option
    and present.end_date = known_month.end_date
  where present.end_date is null;

  get diagnostics v_added = row_count;
  return v_added;
end
$$;

comment on function registry_stats.insert_zero_rows() is
  'Fills the grid of months, institutions and storage options with zero rows; returns how many.';
