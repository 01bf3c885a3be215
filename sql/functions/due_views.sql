-- The views of a job whose figures moved on since their refresh. Deposits also show names, parents
-- and prices: those are compared instead of being captured. One row an institution and one row a
-- storage option will do, for a refresh writes all rows of the view from one snapshot.
--
-- The comparison is a statement without parameters, apart: a session keeps its plan. With the job in
-- it, it would be planned anew at each call, which takes longer than to run it.
create or replace function registry_stats.due_views(job text)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if due_views.job <> 'update_current_deposit_stats' then
    return (
      select array_agg(
        view.name
        order by array_position(registry_stats.views_of('update_counts'), view.name)
      )
      from registry_stats.view
      where view.name <> 'current_deposit_stats'
        and view.is_due
    );
  end if;

  if exists (
    select from registry_stats.view where view.name = 'current_deposit_stats' and view.is_due
  ) or exists (
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
  ) then
    return array['current_deposit_stats'];
  end if;

  return null;
end
$$;

comment on function registry_stats.due_views(text) is
  'The views of a job that a refresh would change.';
