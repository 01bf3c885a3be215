-- Returns whether names, parents or prices in current_deposit_stats differ from Registry's tables:
-- these are compared, not captured. One row per institution and per storage option is enough: a
-- refresh writes all rows from one snapshot. No parameters, so that a session keeps the plan.
create or replace function registry_stats.shows_other_names()
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return exists (
    select
    from public.current_deposit_stats as shown
    left join public.institutions as institution
      on institution.id = shown.institution_id
    left join public.storage_options as option
      on option.name = shown.storage_option
    where shown.institution_id is null
      and shown.cost_gb_per_month is distinct from option.cost_gb_per_month
      or shown.storage_option = 'Total'
      and shown.institution_id is not null
      and (
        shown.institution_name is distinct from institution.name
        or shown.member_institution_id is distinct from institution.member_institution_id
      )
  );
exception
  -- Emptied or dropped after the catalog was read. The condition matches class 55, so also lock
  -- timeouts (55P03). The refresh then waits, and reports who holds the lock.
  when object_not_in_prerequisite_state or undefined_table then
    return true;
end
$$;

comment on function registry_stats.shows_other_names() is
  'Whether names, parents or prices in current_deposit_stats differ from Registry''s tables.';
