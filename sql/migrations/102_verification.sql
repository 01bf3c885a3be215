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

update public.schema_migrations
set finished_at = clock_timestamp() at time zone 'utc'
where version = '102_verification';

commit;
