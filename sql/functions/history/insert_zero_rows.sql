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
  -- The distinct values, one probe of the index for each.
  with recursive institution_step as (
    select min(history.institution_id) as id from public.historical_deposit_stats as history
    union all
    select (
      select min(history.institution_id)
      from public.historical_deposit_stats as history
      where history.institution_id > institution_step.id
    )
    from institution_step
    where institution_step.id is not null
  ),

  option_step as (
    select min(history.storage_option) as name from public.historical_deposit_stats as history
    union all
    select (
      select min(history.storage_option)
      from public.historical_deposit_stats as history
      where history.storage_option > option_step.name
    )
    from option_step
    where option_step.name is not null
  ),

  -- The planner can hash and merge on a substitute for NULL, not on "is not distinct from".
  known_institution as materialized (
    select id as institution_key from institution_step where id is not null
    union all
    select -1
    where exists (
      select from public.historical_deposit_stats as history where history.institution_id is null
    )
  ),

  known_option as materialized (
    select name as storage_option from option_step where name is not null
  ),

  -- Usually only the new months are incomplete. The index on end_date counts the rows. A unique index
  -- keeps those of an institution apart; only those of all institutions may be there twice.
  incomplete_month as materialized (
    select counted.end_date
    from (
      select history.end_date, count(*) as row_count
      from public.historical_deposit_stats as history
      where history.end_date is not null
      group by history.end_date
    ) as counted
    left join (
      select
        history.end_date,
        count(*) - count(distinct history.storage_option) filter (
          where history.institution_id is null
        ) as row_count
      from public.historical_deposit_stats as history
      where history.institution_id is null
        or history.storage_option is null
      group by history.end_date
    ) as surplus on surplus.end_date = counted.end_date
    where counted.row_count - coalesce(surplus.row_count, 0)
      <> (select count(*) from known_institution) * (select count(*) from known_option)
  ),

  present as (
    select
      coalesce(history.institution_id, -1) as institution_key,
      history.storage_option,
      history.end_date
    from incomplete_month
    cross join lateral (
      select found.institution_id, found.storage_option, found.end_date
      from public.historical_deposit_stats as found
      where found.end_date = incomplete_month.end_date
      -- Keeps this join order: months are few, and found by the index.
      offset 0
    ) as history
  ),

  missing as (
    select known_institution.institution_key, known_option.storage_option, incomplete_month.end_date
    from known_institution
    cross join known_option
    cross join incomplete_month
    except
    select institution_key, storage_option, end_date from present
  ),

  -- Institutions that are gone, by their last known name. In two steps, so that only they are read.
  gone_institution as materialized (
    select known_institution.institution_key as institution_id
    from known_institution
    where known_institution.institution_key <> -1
      and not exists (
        select
        from public.institutions as institution
        where institution.id = known_institution.institution_key
      )
  ),

  gone as (
    select
      gone_institution.institution_id,
      (
        select max(history.institution_name)
        from public.historical_deposit_stats as history
        where history.institution_id = gone_institution.institution_id
      ) as name
    from gone_institution
  )

  select
    nullif(missing.institution_key, -1),
    named.name::varchar(80),
    missing.storage_option,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    missing.end_date,
    case when missing.institution_key = -1 then 0 else institution.member_institution_id end,
    case when missing.institution_key = -1 then 'zzz' else named.name end,
    case when missing.storage_option = 'Total' then 'zzz' else missing.storage_option end
  from missing
  left join public.institutions as institution
    on institution.id = missing.institution_key
  left join gone
    on gone.institution_id = missing.institution_key
  cross join lateral (
    select case
      when missing.institution_key = -1 then 'All Institutions'
      else coalesce(institution.name, gone.name)
    end as name
  ) as named;

  get diagnostics v_added = row_count;
  return v_added;
end
$$;

comment on function registry_stats.insert_zero_rows() is
  'Fills the grid of months, institutions and storage options with zero rows; returns how many.';
