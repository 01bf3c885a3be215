-- Returns Registry's functions in schema public whose body is not ours: Registry's migration ran
-- again, or they were dropped. A body that calls registry_stats is ours. `migrate` restores it.
-- Only those of the given jobs: a lookup by name costs as much as a check of a view.
create or replace function registry_stats.replaced_functions(jobs text[] default null)
returns table (job text, name text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    select expected.job, expected.name
    from (
      values
        ('update_counts', 'public.update_counts()'),
        ('update_current_deposit_stats', 'public.update_current_deposit_stats()'),
        (
          'populate_all_historical_deposit_stats',
          'public.populate_all_historical_deposit_stats()'
        ),
        (
          'populate_all_historical_deposit_stats',
          'public.populate_historical_deposit_stats(date)'
        ),
        (
          'populate_all_historical_deposit_stats',
          'public.populate_historical_deposit_stats(timestamp)'
        ),
        ('populate_all_historical_deposit_stats', 'public.populate_empty_deposit_stats()')
    ) as expected (job, name)
    left join pg_proc on pg_proc.oid = to_regprocedure(expected.name)
    where (replaced_functions.jobs is null or expected.job = any (replaced_functions.jobs))
      and strpos(coalesce(pg_proc.prosrc, ''), 'registry_stats.') = 0;
end
$$;

comment on function registry_stats.replaced_functions(text[]) is
  'Registry''s functions in schema public whose body is not ours.';
