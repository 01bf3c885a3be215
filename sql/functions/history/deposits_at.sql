-- Returns the deposits at dates, one row per date, institution and storage option, with the totals as
-- a cube: NULL is "all". Files that are active now count at each date after their creation.
--
-- Recent dates come from the rollups, if these are exact. All others come from one scan of the files.
-- Stable: rollups, pending deltas and files are read in one snapshot.
create or replace function registry_stats.deposits_at(dates date[])
returns table (
  institution_id bigint,
  storage_option varchar,
  end_date date,
  file_count numeric,
  object_count numeric,
  total_bytes numeric
)
language plpgsql
stable
rows 10000
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The index finds the files of a few months faster than a scan of all.
  v_recent constant date := (current_timestamp at time zone 'utc' - interval '3 months')::date;
begin
  if v_recent < all (deposits_at.dates)
    and (
      select found.is_trusted from registry_stats.fingerprints(array['generic_files']) as found
    )
    -- Marks, and deposits that the rollups cannot hold.
    and not exists (
      select
      from registry_stats.delta
      where delta.source = 'generic_files'
        and (
          delta.rebuild_because is not null
          or delta.facet = 'A' and (delta.institution_id is null or delta.storage_option is null)
        )
    )
  then
    return query
      select deposits.*
      from unnest(deposits_at.dates) as recent (date)
      cross join lateral registry_stats.deposits_by_rollups(recent.date) as deposits;
  else
    return query
      select deposits.* from registry_stats.deposits_by_scan(deposits_at.dates) as deposits;
  end if;
end
$$;

comment on function registry_stats.deposits_at(date[]) is
  'The deposits at dates: from the rollups if recent, else from one scan.';
