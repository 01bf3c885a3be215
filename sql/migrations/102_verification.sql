-- When the statistics were compared with the tables, and what came of it: so that any daemon can tell,
-- and a comparison that does not happen is missed.
--
-- Safe to run again. Takes no lock on any table of Registry's.

begin;

insert into public.schema_migrations (version, started_at)
values ('102_verification', clock_timestamp() at time zone 'utc')
on conflict (version) do update set started_at = excluded.started_at;

create table if not exists registry_stats.verification (
  id bigint generated always as identity constraint verification_pkey primary key,
  finished_at timestamptz not null,
  differences int not null
);

comment on table registry_stats.verification is
  'One row a comparison of the statistics with the tables, kept for 90 days.';
comment on column registry_stats.verification.id is 'In the order of their ends.';
comment on column registry_stats.verification.finished_at is 'When it ended.';
comment on column registry_stats.verification.differences is 'Figures that differed; 0 = exact.';

-- What default privileges gave with the objects made here is taken back, as in
-- sql/functions/withhold_from_public.sql; there it would be too late to tell it from a grant by name.
do $$
declare
  v_revoke text;
begin
  for v_revoke in
    select format(
      'revoke all on %s %s from %I',
      case when classid = 'pg_namespace'::regclass then 'schema' else 'table' end,
      made.identity,
      pg_get_userbyid(refobjid)
    )
    from pg_shdepend
    cross join lateral pg_identify_object(classid, objid, objsubid) as made
    where dbid = (select oid from pg_database where datname = current_database())
      and classid in ('pg_namespace'::regclass, 'pg_class'::regclass)
      and deptype = 'a'
      and pg_shdepend.xmin = pg_current_xact_id()::xid
      and 'registry_stats' in (made.schema, made.identity)
  loop
    execute v_revoke;
  end loop;
end
$$;

update public.schema_migrations
set finished_at = clock_timestamp() at time zone 'utc'
where version = '102_verification';

commit;
