-- Whether current_deposit_stats shows other names, parents or prices than there are: those are compared
-- instead of being captured. One row an institution and one row a storage option will do, for a refresh
-- writes all rows of the view from one snapshot. A statement without parameters: a session keeps its plan.
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
  -- Emptied or dropped since the catalog was looked at; or locked for long, since the name of 55000 stands
  -- for its whole class: then the refresh waits, too, and names who holds the lock.
  when object_not_in_prerequisite_state or undefined_table then
    return true;
end
$$;

comment on function registry_stats.shows_other_names() is
  'Whether current_deposit_stats shows other names, parents or prices than there are.';
