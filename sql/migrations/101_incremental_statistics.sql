-- The state of the incremental statistics: schema registry_stats with its tables. Changes nothing
-- of Registry's. Capture and views follow after the functions, by attach_capture and swap_views.
--
-- Safe to run again. Locks none of Registry's tables.

begin;

insert into public.schema_migrations (version, started_at)
values ('101_incremental_statistics', clock_timestamp() at time zone 'utc')
on conflict (version) do update set started_at = excluded.started_at;

create schema if not exists registry_stats;

comment on schema registry_stats is
  'Incremental statistics of Registry: changes, sums, and records of runs.';

-- The statistics, one row per table of Registry: what is counted, and whether it is trusted.
-- Capture, scan, comparison and count view are generated from this row.
create table if not exists registry_stats.source (
  name text constraint source_pkey primary key,
  view text not null constraint source_view_key unique,
  institution_column text,
  facet_column text not null,
  subfacet_column text,
  object_column text,
  option_column text,
  bytes_column text,
  captured int2[],
  is_exact boolean not null default false,
  reason text,
  fingerprint text,
  rebuilt_at timestamptz,
  constraint source_inexact_for_a_reason check (is_exact or reason is not null)
);

comment on table registry_stats.source is
  'The tables of Registry whose rows are counted, by which columns, and whether they are trusted.';
comment on column registry_stats.source.name is 'Table in schema public.';
comment on column registry_stats.source.view is 'Materialized view in schema public that shows the counts.';
comment on column registry_stats.source.institution_column is 'Column with the institution; NULL = none.';
comment on column registry_stats.source.facet_column is 'Column that groups the rows.';
comment on column registry_stats.source.subfacet_column is 'Second such column; NULL = none.';
comment on column registry_stats.source.object_column is
  'Column with the object. If set, deposits are computed from the rows with facet A.';
comment on column registry_stats.source.option_column is 'Column with the storage option of a deposit.';
comment on column registry_stats.source.bytes_column is 'Column with the bytes of a deposit.';
comment on column registry_stats.source.captured is
  'Numbers of the captured columns, in the order above. A rename does not change them.';
comment on column registry_stats.source.is_exact is
  'Whether the rollups plus the pending deltas equal the table. If not, it must be rebuilt.';
comment on column registry_stats.source.reason is 'Why it is untrusted.';
comment on column registry_stats.source.fingerprint is
  'Identity of the table, its captured columns and its triggers at the last rebuild. A restored '
  'dump, a trigger dropped, disabled or enabled again, a renamed column, and a rewritten table '
  'change it.';
comment on column registry_stats.source.rebuilt_at is 'When its rollups were last rebuilt.';

insert into registry_stats.source (
  name, view, institution_column, facet_column, subfacet_column, object_column, option_column,
  bytes_column, reason
)
values
  ('generic_files', 'generic_file_counts', 'institution_id', 'state', null,
    'intellectual_object_id', 'storage_option', 'size', 'never computed'),
  ('intellectual_objects', 'intellectual_object_counts', 'institution_id', 'state', null,
    null, null, null, 'never computed'),
  ('premis_events', 'premis_event_counts', 'institution_id', 'event_type', 'outcome',
    null, null, null, 'never computed'),
  ('work_items', 'work_item_counts', 'institution_id', 'action', null,
    null, null, null, 'never computed')
on conflict (name) do nothing;

-- registry_stats.install_guards adds its check: each value of it comes from a capture trigger.
do $$
begin
  if to_regtype('registry_stats.captured_table') is null then
    create domain registry_stats.captured_table as text;
  end if;
end
$$;

comment on domain registry_stats.captured_table is
  'The table of a delta. Its check detects deltas that no capture trigger wrote.';

-- Changes that writers append in their own transactions, and a fold deletes. Append-only, so
-- writers never wait for each other.
create table if not exists registry_stats.delta (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  source registry_stats.captured_table not null,
  rebuild_because text,
  institution_id bigint,
  facet varchar,
  subfacet varchar,
  object_id bigint,
  storage_option varchar,
  row_count bigint not null,
  byte_count numeric not null default 0,
  constraint delta_pkey primary key (xid, id)
)
with (
  -- Emptied often: without this the check for pending deltas would read dead rows.
  autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = -1
);

comment on table registry_stats.delta is
  'Net changes of committed transactions that are not in the rollups yet.';
comment on column registry_stats.delta.id is 'Distinguishes rows; not the order of commits.';
comment on column registry_stats.delta.xid is 'The transaction that wrote it.';
comment on column registry_stats.delta.source is 'The table that changed.';
comment on column registry_stats.delta.rebuild_because is
  'If set, the row is a mark: why the rollups of the table must be rebuilt.';
comment on column registry_stats.delta.institution_id is 'As in the row that changed.';
comment on column registry_stats.delta.facet is
  'Value of the facet column of registry_stats.source.';
comment on column registry_stats.delta.subfacet is 'Value of the subfacet column.';
comment on column registry_stats.delta.object_id is 'Object of a file.';
comment on column registry_stats.delta.storage_option is 'Storage option of a file.';
comment on column registry_stats.delta.row_count is 'Rows added, minus rows removed.';
comment on column registry_stats.delta.byte_count is 'Bytes of files added, minus bytes removed.';

-- Rows by institution and facets, the finest groups of the count views.
create table if not exists registry_stats.count_rollup (
  id bigint generated always as identity constraint count_rollup_pkey primary key,
  source text not null,
  institution_id bigint,
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

-- Active files by object, to count distinct objects.
create table if not exists registry_stats.deposit_rollup (
  object_key bigint,
  institution_id bigint,
  storage_option varchar,
  file_count bigint not null,
  total_bytes numeric not null,
  constraint deposit_rollup_pkey primary key (object_key, institution_id, storage_option)
)
-- Space for new row versions in the same page, so that a fold need not write to the index.
with (fillfactor = 80);

comment on table registry_stats.deposit_rollup is
  'Active files and their bytes by object, institution and storage option.';
comment on column registry_stats.deposit_rollup.object_key is
  'intellectual_object_id; -2147483649, below every integer, for files without an object. A join '
  'on a nullable key would be a nested loop.';
comment on column registry_stats.deposit_rollup.institution_id is 'Of the file.';
comment on column registry_stats.deposit_rollup.storage_option is 'Of the file.';
comment on column registry_stats.deposit_rollup.file_count is 'Never 0: such a row is deleted.';
comment on column registry_stats.deposit_rollup.total_bytes is 'NULL sizes count as 0.';

-- The same, for the four grouping sets of current_deposit_stats.
create table if not exists registry_stats.deposit_total (
  id bigint generated always as identity constraint deposit_total_pkey primary key,
  institution_id bigint,
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
  job text not null generated always as (
    case name
      when 'current_deposit_stats' then 'update_current_deposit_stats'
      else 'update_counts'
    end
  ) stored,
  is_due boolean not null default true,
  changes bigint not null default 0,
  stamp timestamptz,
  constraint view_source_fkey foreign key (source) references registry_stats.source (name)
);

comment on table registry_stats.view is 'The materialized views, and what our last refresh wrote into them.';
comment on column registry_stats.view.name is 'Materialized view in schema public.';
comment on column registry_stats.view.source is 'The table it counts.';
comment on column registry_stats.view.job is 'The job that refreshes it.';
comment on column registry_stats.view.is_due is 'Whether the rollups changed since its refresh.';
comment on column registry_stats.view.changes is
  'Deltas of its table that were folded since its refresh.';
comment on column registry_stats.view.stamp is
  'The time that our last refresh wrote into its rows. Another time: another session refreshed it.';

create index if not exists view_source_idx on registry_stats.view (source);

-- Registry's objects that ours replaced, for uninstall.
create table if not exists registry_stats.original (
  name text constraint original_pkey primary key,
  definition text not null,
  settings text[] not null default '{}'
);

comment on table registry_stats.original is
  'Registry''s own views and functions that ours replaced; uninstall restores them.';
comment on column registry_stats.original.name is
  'Materialized view, or function with the types of its arguments, in schema public.';
comment on column registry_stats.original.definition is
  'Query of the view, or statement that creates the function.';
comment on column registry_stats.original.settings is
  'Statements that restore its comment, rights, indexes, storage and statistics.';

-- One row that every fold and rebuild writes, and one for the history. If two sessions in
-- repeatable read have the same snapshot, the second one fails and is retried. Only the session
-- that holds the lock of the runs writes it.
create table if not exists registry_stats.epoch (
  name text constraint epoch_pkey primary key,
  number bigint not null default 0,
  folded_to xid8 not null default '0',
  unfolded xid8[] not null default '{}',
  guards text
);

comment on table registry_stats.epoch is 'How often the rollups, and the history, were written.';
comment on column registry_stats.epoch.name is 'rollups or history.';
comment on column registry_stats.epoch.number is 'Incremented at each write.';
comment on column registry_stats.epoch.folded_to is
  'The last fold saw the deltas of all transactions up to this one. 0 = unknown.';
comment on column registry_stats.epoch.unfolded is
  'Except those of these transactions, which were open then.';
comment on column registry_stats.epoch.guards is
  'Identity of the triggers that detect writes to our tables outside our functions.';

insert into registry_stats.epoch (name) values ('rollups'), ('history') on conflict (name) do nothing;

-- Detects a crash: PostgreSQL then empties every unlogged table, this one included.
create unlogged table if not exists registry_stats.crash_witness (
  source text constraint crash_witness_pkey primary key
);

comment on table registry_stats.crash_witness is
  'One row per captured table that is unlogged. A crash deletes it with that table''s rows.';
comment on column registry_stats.crash_witness.source is 'The captured table.';

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

comment on table registry_stats.job is 'The three jobs and their last outcomes.';
comment on column registry_stats.job.name is 'Function in schema public.';
comment on column registry_stats.job.last_check is 'When a run last checked for changes.';
comment on column registry_stats.job.last_refresh is 'When figures last changed.';
comment on column registry_stats.job.data_as_of is
  'The figures include everything committed before this time.';
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
  changes bigint,
  views_refreshed text[],
  data_as_of timestamptz,
  constraint run_outcome
    check (outcome in ('refreshed', 'skipped', 'failed', 'cancelled', 'crashed')),
  constraint run_finished_with_outcome check ((finished_at is null) = (outcome is null))
);

comment on table registry_stats.run is
  'One row per run, committed before its work, so that a killed run is marked crashed.';
comment on column registry_stats.run.id is 'In the order of the starts.';
comment on column registry_stats.run.job is 'The job.';
comment on column registry_stats.run.trigger is 'start, schedule, signal, command, recovery or sql.';
comment on column registry_stats.run.backend_pid is 'Server process that wrote the row.';
comment on column registry_stats.run.backend_start is
  'Distinguishes that process from a later one.';
comment on column registry_stats.run.started_at is 'When the row was written.';
comment on column registry_stats.run.finished_at is 'NULL while it runs.';
comment on column registry_stats.run.outcome is 'NULL while it runs.';
comment on column registry_stats.run.reason is 'Why skipped, failed, cancelled or crashed.';
comment on column registry_stats.run.rows_folded is 'Deltas moved into the rollups.';
comment on column registry_stats.run.changes is
  'Deltas that the refreshed views show for the first time, whichever run folded them.';
comment on column registry_stats.run.views_refreshed is 'Views or table whose figures changed.';
comment on column registry_stats.run.data_as_of is 'As in registry_stats.job.';

create index if not exists run_started_at_idx on registry_stats.run (started_at);
create index if not exists run_unfinished_idx on registry_stats.run (id) where outcome is null;

create table if not exists registry_stats.verification (
  id bigint generated always as identity constraint verification_pkey primary key,
  finished_at timestamptz not null,
  differences int not null
);

comment on table registry_stats.verification is
  'One row per comparison of the statistics with the tables, kept for 90 days.';
comment on column registry_stats.verification.id is 'In the order of the ends.';
comment on column registry_stats.verification.finished_at is 'When it ended.';
comment on column registry_stats.verification.differences is 'Figures that differed; 0 = exact.';

create table if not exists registry_stats.notification (
  subject text constraint notification_pkey primary key,
  state text not null default 'good',
  changed_at timestamptz,
  constraint notification_state check (state in ('good', 'failing', 'held back', 'drift'))
);

comment on table registry_stats.notification is
  'The states that daemons last reported to NOTIFY_URL, so that one of them reports a change.';
comment on column registry_stats.notification.subject is 'A job, or figures for the verification.';
comment on column registry_stats.notification.state is 'good, failing, held back or drift.';
comment on column registry_stats.notification.changed_at is 'When it changed; NULL = never.';

insert into registry_stats.notification (subject)
values
  ('update_counts'),
  ('update_current_deposit_stats'),
  ('populate_all_historical_deposit_stats'),
  ('figures')
on conflict (subject) do nothing;

-- Revoke what default privileges granted on the objects created here. sql/privileges.sql could no
-- longer distinguish that from a grant by name.
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
