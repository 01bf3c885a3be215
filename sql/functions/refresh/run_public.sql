-- Runs a job for Registry's functions, recorded in the same transaction. Returns 1 = refreshed, 0 =
-- not. Leaves rebuilds to the daemon: here a rebuild would block the table's writers.
create or replace function registry_stats.run_public(job text)
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  v_id bigint := registry_stats.begin_run(run_public.job, 'sql');
begin
  if v_id is null then
    return 0;
  end if;

  return case (registry_stats.run_recorded(v_id)).outcome when 'refreshed' then 1 else 0 end;
end
$$;

comment on function registry_stats.run_public(text) is
  'Runs a job for Registry''s functions: 1 = refreshed, 0 = not.';
