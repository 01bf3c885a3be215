-- The state of the incremental statistics: schema registry_stats with its tables. Nothing of
-- Registry's is touched here; capture and views are put in place by registry_stats.attach_capture
-- and registry_stats.swap_views, which the runner calls after the functions.
--
-- Safe to run again. Takes no lock on any table of Registry's.

begin;

insert into public.schema_migrations (version, started_at)
values ('101_incremental_statistics', clock_timestamp() at time zone 'utc')
on conflict (version) do update set started_at = excluded.started_at;

create schema if not exists registry_stats;

comment on schema registry_stats is
  'Incremental statistics of Registry: what changed, the sums of it, and what was done about it.';

-- The tables whose rows are counted.
create table if not exists registry_stats.source (
  name text constraint source_pkey primary key,
  is_exact boolean not null default false,
  reason text,
  fingerprint text,
  rebuilt_at timestamptz,
  constraint source_inexact_for_a_reason check (is_exact or reason is not null)
);

comment on table registry_stats.source is
  'The tables of Registry whose changes are captured, and whether the rollups equal them.';
comment on column registry_stats.source.name is 'Table in schema public.';
comment on column registry_stats.source.is_exact is
  'Whether the rollups plus the pending deltas equal the table. If not, only a rebuild helps.';
comment on column registry_stats.source.reason is 'Why it is not exact.';
comment on column registry_stats.source.fingerprint is
  'Identity of the table and its capture triggers when it was last exact: a restored dump, a '
  'trigger dropped, disabled or enabled again, and a rewritten table all change it.';
comment on column registry_stats.source.rebuilt_at is 'When its rollups were last computed anew.';

insert into registry_stats.source (name, reason)
values
  ('generic_files', 'never computed'),
  ('intellectual_objects', 'never computed'),
  ('premis_events', 'never computed'),
  ('work_items', 'never computed')
on conflict (name) do nothing;

-- What writers append, in their own transactions, and a fold takes away. Append-only, so writers
-- never wait for each other here.
create table if not exists registry_stats.delta (
  id bigint generated always as identity constraint delta_pkey primary key,
  source text not null,
  is_truncate boolean not null default false,
  institution_id int,
  facet varchar,
  subfacet varchar,
  object_id int,
  storage_option varchar,
  row_count bigint not null,
  byte_count numeric not null default 0
)
with (
  -- Emptied all the time: without this the check for "nothing pending" would walk dead rows.
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = -1
);

comment on table registry_stats.delta is
  'Net changes of committed transactions that are not in the rollups yet.';
comment on column registry_stats.delta.id is 'Only to tell rows apart; not an order of commits.';
comment on column registry_stats.delta.source is 'The table that changed.';
comment on column registry_stats.delta.is_truncate is
  'The table was emptied by truncate: its rollups must be computed anew.';
comment on column registry_stats.delta.institution_id is 'As in the row that changed.';
comment on column registry_stats.delta.facet is
  'state of a file or object, event_type of an event, action of a work item.';
comment on column registry_stats.delta.subfacet is 'outcome of an event.';
comment on column registry_stats.delta.object_id is 'intellectual_object_id of a file.';
comment on column registry_stats.delta.storage_option is 'storage_option of a file.';
comment on column registry_stats.delta.row_count is 'Rows added, less rows taken away.';
comment on column registry_stats.delta.byte_count is 'Bytes of files added, less those taken away.';

-- Rows by institution and facets, as fine as the count views cube them.
create table if not exists registry_stats.count_rollup (
  id bigint generated always as identity constraint count_rollup_pkey primary key,
  source text not null,
  institution_id int,
  facet varchar,
  subfacet varchar,
  row_count bigint not null,
  constraint count_rollup_key unique nulls not distinct (source, institution_id, facet, subfacet)
);

comment on table registry_stats.count_rollup is
  'Number of rows by table, institution and facets. NULL is a real NULL of the row.';
comment on column registry_stats.count_rollup.id is 'Surrogate: the key may hold NULL.';
comment on column registry_stats.count_rollup.source is 'The table that is counted.';
comment on column registry_stats.count_rollup.institution_id is 'As in the rows.';
comment on column registry_stats.count_rollup.facet is 'As in registry_stats.delta.';
comment on column registry_stats.count_rollup.subfacet is 'As in registry_stats.delta.';
comment on column registry_stats.count_rollup.row_count is 'Never 0: such a row is deleted.';

-- Active files by object, as fine as distinct objects must be told apart.
create table if not exists registry_stats.deposit_rollup (
  object_key bigint,
  institution_id int,
  storage_option varchar,
  file_count bigint not null,
  total_bytes numeric not null,
  constraint deposit_rollup_pkey primary key (object_key, institution_id, storage_option)
)
-- Room for new versions in their own page: then a fold need not touch the index.
with (fillfactor = 80);

comment on table registry_stats.deposit_rollup is
  'Active files and their bytes by object, institution and storage option.';
comment on column registry_stats.deposit_rollup.object_key is
  'intellectual_object_id; -2147483649, which no integer is, for files of no object: a join on a '
  'nullable key would be a nested loop.';
comment on column registry_stats.deposit_rollup.institution_id is 'Of the file.';
comment on column registry_stats.deposit_rollup.storage_option is 'Of the file.';
comment on column registry_stats.deposit_rollup.file_count is 'Never 0: such a row is deleted.';
comment on column registry_stats.deposit_rollup.total_bytes is 'NULL sizes count as 0.';

-- The same, summed up for the four grouping sets of current_deposit_stats.
create table if not exists registry_stats.deposit_total (
  id bigint generated always as identity constraint deposit_total_pkey primary key,
  institution_id int,
  storage_option varchar,
  file_count bigint not null,
  object_count bigint not null,
  total_bytes numeric not null,
  constraint deposit_total_key unique nulls not distinct (institution_id, storage_option)
);

comment on table registry_stats.deposit_total is
  'Active files, distinct objects and bytes by institution and storage option, with totals.';
comment on column registry_stats.deposit_total.id is 'Surrogate: the key holds NULL.';
comment on column registry_stats.deposit_total.institution_id is 'NULL = all institutions.';
comment on column registry_stats.deposit_total.storage_option is 'NULL = all storage options.';
comment on column registry_stats.deposit_total.file_count is 'Active files.';
comment on column registry_stats.deposit_total.object_count is 'Distinct objects with such a file.';
comment on column registry_stats.deposit_total.total_bytes is 'NULL sizes count as 0.';

-- The materialized views that Registry reads.
create table if not exists registry_stats.view (
  name text constraint view_pkey primary key,
  source text not null,
  is_incremental boolean not null default false,
  is_due boolean not null default true,
  refreshed_at timestamptz,
  data_as_of timestamptz,
  constraint view_source_fkey foreign key (source) references registry_stats.source (name)
);

comment on table registry_stats.view is 'The materialized views and whether their rollups moved on.';
comment on column registry_stats.view.name is 'Materialized view in schema public.';
comment on column registry_stats.view.source is 'The table it counts.';
comment on column registry_stats.view.is_incremental is
  'Whether it reads the rollups; if not, it still scans the table (state 001).';
comment on column registry_stats.view.is_due is 'Whether the rollups changed since its refresh.';
comment on column registry_stats.view.refreshed_at is 'When it was last refreshed.';
comment on column registry_stats.view.data_as_of is
  'Every transaction that was committed by then is in its figures.';

insert into registry_stats.view (name, source)
values
  ('premis_event_counts', 'premis_events'),
  ('intellectual_object_counts', 'intellectual_objects'),
  ('generic_file_counts', 'generic_files'),
  ('work_item_counts', 'work_items'),
  ('current_deposit_stats', 'generic_files')
on conflict (name) do nothing;

create index if not exists view_source_idx on registry_stats.view (source);

-- Records: what each job last did, and every run that did or tried something.
create table if not exists registry_stats.job (
  name text constraint job_pkey primary key,
  last_check timestamptz,
  last_refresh timestamptz,
  data_as_of timestamptz,
  outcome text,
  reason text,
  consecutive_failures int not null default 0,
  constraint job_outcome check (outcome in ('refreshed', 'skipped', 'failed', 'cancelled'))
);

comment on table registry_stats.job is 'The three jobs and what became of them last.';
comment on column registry_stats.job.name is 'Function in schema public.';
comment on column registry_stats.job.last_check is 'When it was last looked whether there is work.';
comment on column registry_stats.job.last_refresh is 'When figures last changed.';
comment on column registry_stats.job.data_as_of is
  'Every transaction that was committed by then is in the figures.';
comment on column registry_stats.job.outcome is 'Of the last check or run.';
comment on column registry_stats.job.reason is 'Of the outcome.';
comment on column registry_stats.job.consecutive_failures is 'Since the last run that did not fail.';

insert into registry_stats.job (name)
values
  ('update_counts'),
  ('update_current_deposit_stats'),
  ('populate_all_historical_deposit_stats')
on conflict (name) do nothing;

create table if not exists registry_stats.run (
  id bigint generated always as identity constraint run_pkey primary key,
  job text not null,
  trigger text not null,
  backend_pid int not null,
  backend_start timestamptz,
  started_at timestamptz not null,
  finished_at timestamptz,
  outcome text,
  reason text,
  rows_folded bigint,
  views_refreshed text[],
  data_as_of timestamptz,
  constraint run_outcome
    check (outcome in ('refreshed', 'skipped', 'failed', 'cancelled', 'crashed')),
  constraint run_finished_with_outcome check ((finished_at is null) = (outcome is null))
);

comment on table registry_stats.run is
  'One row a run, written and committed before its work: a killed run is found and marked crashed.';
comment on column registry_stats.run.id is 'In the order of their starts.';
comment on column registry_stats.run.job is 'The job.';
comment on column registry_stats.run.trigger is 'start, schedule, signal, command, recovery or sql.';
comment on column registry_stats.run.backend_pid is 'Server process that wrote the row.';
comment on column registry_stats.run.backend_start is 'Tells that process from a later one.';
comment on column registry_stats.run.started_at is 'When the row was written.';
comment on column registry_stats.run.finished_at is 'NULL while it runs.';
comment on column registry_stats.run.outcome is 'NULL while it runs.';
comment on column registry_stats.run.reason is 'Why skipped, failed, cancelled or crashed.';
comment on column registry_stats.run.rows_folded is 'Deltas moved into the rollups.';
comment on column registry_stats.run.views_refreshed is 'Views or table whose figures changed.';
comment on column registry_stats.run.data_as_of is 'As in registry_stats.job.';

create index if not exists run_started_at_idx on registry_stats.run (started_at);
create index if not exists run_unfinished_idx on registry_stats.run (id) where outcome is null;

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
where version = '101_incremental_statistics';

commit;
