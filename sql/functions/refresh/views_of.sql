-- The views of a job, in the order in which every session refreshes them: the one of Registry's
-- function, which may be at work during an upgrade. Two sessions in different orders would
-- wait for each other, and one of them would end with a deadlock.
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
    where case views_of.job
        when 'update_counts' then view.name <> 'current_deposit_stats'
        when 'update_current_deposit_stats' then view.name = 'current_deposit_stats'
        else false
      end
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
