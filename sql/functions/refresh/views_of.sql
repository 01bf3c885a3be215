-- Returns the views of a job, in the order in which every session refreshes them. Registry's own
-- function, which may run during an upgrade, uses it. Two different orders would deadlock.
create or replace function registry_stats.views_of(job text)
returns text[]
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return array(
    select view.name
    from registry_stats.view
    where view.job = views_of.job
    order by
      array_position(
        array['premis_event_counts', 'intellectual_object_counts', 'generic_file_counts', 'work_item_counts'],
        view.name
      ),
      view.name
  );
end
$$;

comment on function registry_stats.views_of(text) is
  'The views of a job, in the order in which they are refreshed.';
