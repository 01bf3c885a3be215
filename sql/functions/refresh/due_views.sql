-- Returns the views of a job that a refresh would change, or NULL. Their rollups changed, they are
-- empty or have no index, another session refreshed them, or the deposits show old names or prices.
create or replace function registry_stats.due_views(job text)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_views text[] := registry_stats.views_of(due_views.job);
  v_usable text[];
  v_ok text[];
  v_due text[];
begin
  select
    array_agg(checked.name order by array_position(v_views, checked.name)) filter (
      where checked.state in ('ok', 'empty', 'unindexed')
    ),
    array_agg(checked.name order by array_position(v_views, checked.name)) filter (
      where checked.state = 'ok'
    )
  into v_usable, v_ok
  from registry_stats.look_at_views(v_views) as checked;

  select array_agg(view.name order by array_position(v_views, view.name))
  into v_due
  from registry_stats.view
  where view.name = any (v_usable)
    and (
      view.is_due
      or view.name <> all (coalesce(v_ok, '{}'))
      or view.name = any (registry_stats.changed_by_others(v_ok))
    );
  if v_due is not null or due_views.job <> 'update_current_deposit_stats' or v_ok is null then
    return v_due;
  end if;

  if registry_stats.shows_other_names() then
    return v_views;
  end if;
  return null;
end
$$;

comment on function registry_stats.due_views(text) is
  'The views of a job that a refresh would change.';
