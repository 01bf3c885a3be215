-- Activation, for operators who only have psql: triggers, one scan per table, views. If it is interrupted, it
-- can be run again. A table that is in use is tried again after a pause that is longer than the wait.

do $$
declare
  v_source text;
  v_detail text;
begin
  for v_source in select name from registry_stats.source order by name loop
    loop
      begin
        perform registry_stats.attach_capture(v_source);
        exit;
      exception when lock_not_available then
        get stacked diagnostics v_detail = pg_exception_detail;
        raise notice '%: waiting for its lock; %', v_source, v_detail;
      end;
      commit;
      perform pg_sleep(1);
    end loop;
    commit;
  end loop;
end
$$;

do $$
declare
  v_source text;
begin
  for v_source in
    select found.name
    from registry_stats.fingerprints() as found
    where not found.is_trusted
      and registry_stats.obstacle(found.name) is null
    order by found.name
  loop
    commit;
    set transaction isolation level repeatable read;
    perform registry_stats.rebuild(v_source);
  end loop;
end
$$;

begin;
set local lock_timeout = '5s';
select registry_stats.swap_views();
commit;
