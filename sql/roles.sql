-- Creates the role of the daemon, with only the rights that its work needs: it runs the three jobs,
-- rebuilds untrusted tables, verifies, and reads statistics and records of runs. It reads no other
-- table of Registry's and writes no table itself. The functions do, as their owner.
--
-- Run it after `registry-stats migrate`, as the role that owns the statistics. It is safe to run
-- again; do that if the daemon reports a missing grant. Creating the role needs CREATEROLE. An
-- administrator may create it first:  create role registry_stats_daemon nologin;
--
-- The role has no password and cannot log in. Grant it to a role that can:
--   create role registry_stats_login login in role registry_stats_daemon;
--   \password registry_stats_login
-- To remove it, in each database:  drop owned by registry_stats_daemon;  then drop role.

begin;

set local search_path = pg_catalog, pg_temp;

do $$
begin
  if not exists (select from pg_roles where rolname = 'registry_stats_daemon') then
    create role registry_stats_daemon nologin;
  end if;

  -- PUBLIC has these rights, unless they were revoked. Then only the owner can grant them.
  if not has_database_privilege('registry_stats_daemon', current_database(), 'connect') then
    execute format('grant connect on database %I to registry_stats_daemon', current_database());
  end if;
  if not has_schema_privilege('registry_stats_daemon', 'public', 'usage') then
    grant usage on schema public to registry_stats_daemon;
  end if;
end
$$;

grant usage on schema registry_stats to registry_stats_daemon;

grant select on
  registry_stats.delta,
  registry_stats.job,
  registry_stats.run,
  registry_stats.source,
  registry_stats.verification,
  registry_stats.view,
  public.current_deposit_stats,
  public.generic_file_counts,
  public.historical_deposit_stats,
  public.intellectual_object_counts,
  public.premis_event_counts,
  public.work_item_counts
to registry_stats_daemon;

-- Views that a later migration declares.
do $$
declare
  v_view text;
begin
  for v_view in
    select format('public.%I', view.name)
    from registry_stats.view
    where to_regclass(format('public.%I', view.name)) is not null
  loop
    execute format('grant select on %s to registry_stats_daemon', v_view);
  end loop;
end
$$;

grant execute on function
  registry_stats.attach_capture(text),
  registry_stats.begin_run(text, text),
  registry_stats.check_jobs(text[], text),
  registry_stats.check_sources(),
  registry_stats.claim_notification(text, text),
  registry_stats.differences(text),
  registry_stats.fingerprints(text[]),
  registry_stats.finish_run(bigint, text, text, bigint, bigint, text[], timestamptz),
  registry_stats.obstacle(text),
  registry_stats.problems(),
  registry_stats.rebuild(text),
  registry_stats.record_begin(text, text, timestamptz, bigint[]),
  registry_stats.record_verification(int),
  registry_stats.run_recorded(bigint, text),
  registry_stats.swap_views()
to registry_stats_daemon;

commit;
