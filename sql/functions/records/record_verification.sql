-- Records the result of verify, for other daemons and for this one after a restart.
create or replace function registry_stats.record_verification(differences int)
returns void
language sql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
  delete from registry_stats.verification
  where id in (
    select old.id
    from registry_stats.verification as old
    where old.finished_at < clock_timestamp() - interval '90 days'
    for update skip locked
  );

  insert into registry_stats.verification (finished_at, differences)
  values (clock_timestamp(), record_verification.differences)
$$;

comment on function registry_stats.record_verification(int) is
  'Records a comparison of the statistics with the tables, and how many figures differed.';
