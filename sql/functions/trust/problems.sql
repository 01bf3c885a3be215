-- Returns everything that keeps figures from being exact now, one row per object and job.
-- `is_repairable`: the daemon's next run repairs it.
create or replace function registry_stats.problems()
returns table (job text, name text, reason text, is_repairable boolean)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  v_are_guards_changed constant boolean := registry_stats.guards_changed();
begin
  return query
    select distinct
      view.job,
      source.name,
      coalesce(
        obstacle.reason,
        case
          when not source.is_exact then source.reason
          when v_are_guards_changed
            then 'the rollups may have been written outside registry-stats, or the database was restored'
          else 'the table or its capture was changed'
        end
      ),
      obstacle.reason is null
    from registry_stats.fingerprints() as found
    join registry_stats.source on source.name = found.name
    join registry_stats.view on view.source = source.name
    cross join lateral (
      select case
        when not source.is_exact then registry_stats.obstacle(source.name)
      end as reason
    ) as obstacle
    where not found.is_trusted
    union all
    select
      view.job,
      checked.name,
      case checked.state
        when 'missing' then 'the view is gone'
        when 'foreign' then coalesce(
          'the view was replaced, and other objects depend on it: '
            || registry_stats.dependents('public', checked.name) || '; drop these, and run migrate',
          'the view was replaced, and reads the tables'
        )
        when 'empty' then 'the view is not populated'
        when 'unindexed' then 'the unique index of the view is gone'
        else format(
          'public.%I is not a materialized view, or role %I is not a member of its owner; '
          'drop it, or change its owner, and run migrate',
          checked.name, current_user
        )
      end,
      checked.state <> 'other'
        and (checked.state <> 'foreign' or registry_stats.dependents('public', checked.name) is null)
    from registry_stats.look_at_views() as checked
    join registry_stats.view on view.name = checked.name
    where checked.state in ('missing', 'foreign', 'other')
    union all
    select
      replaced.job,
      replaced.name,
      'the function is not the one that registry-stats installed; run registry-stats migrate',
      false
    from registry_stats.replaced_functions() as replaced;
end
$$;

comment on function registry_stats.problems() is 'Everything that keeps figures from being exact.';
