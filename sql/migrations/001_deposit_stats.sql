-- Registry's statistics in the legacy state: a history table, five materialized views over full
-- scans, and the three functions, limited by age, that Registry's callers run about hourly.
--
-- A live database is in this state before the incremental migrations (101 onward), and they are
-- measured against it. Its age limits and flags are kept as documented. Safe to run again, also
-- after 101. Locks only the objects that it creates, and their rows in ar_internal_metadata.

begin;

insert into public.schema_migrations (version, started_at)
values ('001_deposit_stats', clock_timestamp() at time zone 'utc')
on conflict (version) do update set started_at = excluded.started_at;

create table if not exists public.historical_deposit_stats (
  institution_id bigint,
  institution_name varchar(80),
  storage_option varchar(40),
  object_count bigint,
  file_count bigint,
  total_bytes bigint,
  total_gb float8,
  total_tb float8,
  cost_gb_per_month float8,
  monthly_cost float8,
  end_date date,
  member_institution_id int,
  primary_sort varchar,
  secondary_sort varchar
);

comment on table public.historical_deposit_stats is
  'Deposit statistics per first of a month: active files created before end_date, by institution '
  'and storage option, with their totals.';

create index if not exists ix_historical_deposit_stats_end_date
  on public.historical_deposit_stats (end_date);

create index if not exists ix_historical_deposit_stats_inst_id
  on public.historical_deposit_stats (institution_id);

create index if not exists ix_historical_deposit_stats_storage_option
  on public.historical_deposit_stats (storage_option);

create unique index if not exists ix_historical_inst_opt_date
  on public.historical_deposit_stats (institution_id, storage_option, end_date);

-- Counts. A NULL key has rows next to the cube's own NULLs; the unique indexes allow it.

create materialized view if not exists public.premis_event_counts as
select
  event.institution_id,
  count(*) as row_count,
  event.event_type,
  event.outcome,
  current_timestamp as updated_at
from public.premis_events as event
group by cube (event.institution_id, event.event_type, event.outcome);

comment on materialized view public.premis_event_counts is
  'Number of events by institution, event type and outcome, with all totals (NULL = all).';

create unique index if not exists ix_premis_event_counts
  on public.premis_event_counts (institution_id, event_type, outcome);

create materialized view if not exists public.intellectual_object_counts as
select
  object.institution_id,
  count(*) as row_count,
  object.state,
  current_timestamp as updated_at
from public.intellectual_objects as object
group by cube (object.institution_id, object.state);

comment on materialized view public.intellectual_object_counts is
  'Number of objects by institution and state, with all totals (NULL = all).';

create unique index if not exists ix_intellectual_object_counts
  on public.intellectual_object_counts (institution_id, state);

create materialized view if not exists public.generic_file_counts as
select
  file.institution_id,
  count(*) as row_count,
  file.state,
  current_timestamp as updated_at
from public.generic_files as file
group by cube (file.institution_id, file.state);

comment on materialized view public.generic_file_counts is
  'Number of files by institution and state, with all totals (NULL = all).';

create unique index if not exists ix_generic_file_counts
  on public.generic_file_counts (institution_id, state);

create materialized view if not exists public.work_item_counts as
select
  item.institution_id,
  count(*) as row_count,
  item.action,
  current_timestamp as updated_at
from public.work_items as item
group by cube (item.institution_id, item.action);

comment on materialized view public.work_item_counts is
  'Number of work items by institution and action, with all totals (NULL = all).';

create unique index if not exists ix_work_item_counts
  on public.work_item_counts (institution_id, action);

-- Deposits. Institutions are joined by id: two with the same name have separate figures. An
-- institution_id without an institution counts too, with a NULL name.

create materialized view if not exists public.current_deposit_stats as
with deposit as (
  select
    file.institution_id,
    file.storage_option,
    grouping(file.institution_id) = 1 as is_all_institutions,
    grouping(file.storage_option) = 1 as is_all_options,
    count(*) as file_count,
    count(distinct file.intellectual_object_id) as object_count,
    coalesce(sum(file.size), 0) as total_bytes
  from public.generic_files as file
  where file.state = 'A'
  group by cube (file.institution_id, file.storage_option)
)

select
  deposit.institution_id,
  institution.member_institution_id,
  case when deposit.is_all_institutions then 'All Institutions' else institution.name end
    ::varchar as institution_name,
  case when deposit.is_all_options then 'Total' else deposit.storage_option end
    ::varchar as storage_option,
  deposit.file_count,
  deposit.object_count,
  deposit.total_bytes,
  deposit.total_bytes / 1073741824 as total_gb,
  deposit.total_bytes / 1099511627776 as total_tb,
  option.cost_gb_per_month,
  deposit.total_bytes / 1073741824 * option.cost_gb_per_month as monthly_cost,
  current_timestamp as end_date,
  case when deposit.is_all_institutions then 'zzz' else institution.name end
    ::varchar as primary_sort,
  case when deposit.is_all_options then 'zzz' else deposit.storage_option end
    ::varchar as secondary_sort
from deposit
left join public.institutions as institution
  on institution.id = deposit.institution_id
left join public.storage_options as option
  on option.name = deposit.storage_option;

comment on materialized view public.current_deposit_stats is
  'Active files, objects, bytes and monthly cost by institution and storage option, with totals.';

create unique index if not exists ix_current_deposits_inst_id_storage_option
  on public.current_deposit_stats (institution_id, storage_option);

-- Flags: 'true' while a function runs. Set and cleared in one transaction, so another session sees
-- 'true' only if a session committed it. Then the function does nothing until it is cleared.

insert into public.ar_internal_metadata (key, value, created_at, updated_at)
select
  flag.key,
  'false',
  current_timestamp at time zone 'utc',
  current_timestamp at time zone 'utc'
from (
  values
    ('update counts is running'),
    ('current_deposit_stats is running'),
    ('historical deposit stats is running')
) as flag (key)
on conflict (key) do nothing;

-- The functions. If the incremental statistics (101 onward) are installed, their bodies stay.
do $functions$
begin
if to_regclass('registry_stats.view') is not null then
  return;
end if;

-- Refreshes the four count views unless they are younger than an hour. Returns 1 if refreshed, 0 if
-- fresh or another session is running. A view without a row of an institution counts as never
-- filled. Never waits for another caller: the flag's row is locked with skip locked.
create or replace function public.update_counts()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_running text;
begin
  if exists (
    select from public.premis_event_counts where institution_id is not null
  ) and exists (
    select from public.intellectual_object_counts where institution_id is not null
  ) and exists (
    select from public.generic_file_counts where institution_id is not null
  ) and exists (
    select from public.work_item_counts where institution_id is not null
  ) and not exists (
    select from public.premis_event_counts
    where updated_at < current_timestamp - interval '60 minutes'
  ) then
    return 0;
  end if;

  select metadata.value
  into v_is_running
  from public.ar_internal_metadata as metadata
  where metadata.key = 'update counts is running'
  for update skip locked;

  if v_is_running is distinct from 'false' then
    return 0;
  end if;

  update public.ar_internal_metadata
  set value = 'true', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'update counts is running';

  refresh materialized view concurrently public.premis_event_counts;
  refresh materialized view concurrently public.intellectual_object_counts;
  refresh materialized view concurrently public.generic_file_counts;
  refresh materialized view concurrently public.work_item_counts;

  update public.ar_internal_metadata
  set value = 'false', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'update counts is running';

  return 1;
end
$$;

comment on function public.update_counts() is
  'Refreshes the four count views if they are older than an hour: 1 = refreshed, 0 = not needed.';

-- Refreshes current_deposit_stats unless it is younger than an hour. Returns 1 if refreshed, 0 if
-- fresh. A second caller waits for the flag's row, then refreshes again.
create or replace function public.update_current_deposit_stats()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select from public.current_deposit_stats where institution_id is not null
  ) and not exists (
    select from public.current_deposit_stats
    where end_date < current_timestamp - interval '60 minutes'
  ) then
    return 0;
  end if;

  update public.ar_internal_metadata
  set value = 'true', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'current_deposit_stats is running';

  refresh materialized view concurrently public.current_deposit_stats;

  update public.ar_internal_metadata
  set value = 'false', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'current_deposit_stats is running';

  return 1;
end
$$;

comment on function public.update_current_deposit_stats() is
  'Refreshes current_deposit_stats if it is older than an hour: 1 = refreshed, 0 = not needed.';

-- Inserts the deposit statistics of one date, at today's prices. Returns 1 = inserted, 0 = there
-- already. One scan of the files. A date without files has only the grand total, all zeros.
create or replace function public.populate_historical_deposit_stats(stop_date date)
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if exists (
    select
    from public.historical_deposit_stats as history
    where history.end_date = populate_historical_deposit_stats.stop_date
  ) then
    return 0;
  end if;

  insert into public.historical_deposit_stats (
    institution_id,
    institution_name,
    storage_option,
    object_count,
    file_count,
    total_bytes,
    total_gb,
    total_tb,
    cost_gb_per_month,
    monthly_cost,
    end_date,
    member_institution_id,
    primary_sort,
    secondary_sort
  )
  with deposit as (
    select
      file.institution_id,
      file.storage_option,
      grouping(file.institution_id) = 1 as is_all_institutions,
      grouping(file.storage_option) = 1 as is_all_options,
      count(*) as file_count,
      count(distinct file.intellectual_object_id) as object_count,
      coalesce(sum(file.size), 0) as total_bytes
    from public.generic_files as file
    where file.state = 'A'
      and file.created_at < populate_historical_deposit_stats.stop_date
    group by cube (file.institution_id, file.storage_option)
  )

  select
    deposit.institution_id,
    case when deposit.is_all_institutions then 'All Institutions' else institution.name end
      ::varchar(80),
    case when deposit.is_all_options then 'Total' else deposit.storage_option end
      ::varchar(40),
    deposit.object_count,
    deposit.file_count,
    deposit.total_bytes,
    deposit.total_bytes / 1073741824,
    deposit.total_bytes / 1099511627776,
    coalesce(option.cost_gb_per_month, 0),
    coalesce(deposit.total_bytes / 1073741824 * option.cost_gb_per_month, 0),
    populate_historical_deposit_stats.stop_date,
    institution.member_institution_id,
    case when deposit.is_all_institutions then 'zzz' else institution.name end,
    case when deposit.is_all_options then 'zzz' else deposit.storage_option end
  from deposit
  left join public.institutions as institution
    on institution.id = deposit.institution_id
  left join public.storage_options as option
    on option.name = deposit.storage_option;

  return 1;
end
$$;

comment on function public.populate_historical_deposit_stats(date) is
  'Inserts the deposit statistics of one date: 1 = inserted, 0 = there already.';

create or replace function public.populate_historical_deposit_stats(stop_date timestamp)
returns integer
language sql
set search_path = pg_catalog, pg_temp
as $$
  select public.populate_historical_deposit_stats(stop_date::date);
$$;

comment on function public.populate_historical_deposit_stats(timestamp) is
  'The same, for the date of a timestamp.';

-- Adds zero rows until every institution and every storage option in the history has a row in each
-- of its months. Returns 1 = added, 0 = complete already.
create or replace function public.populate_empty_deposit_stats()
returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_added bigint;
begin
  insert into public.historical_deposit_stats (
    institution_id,
    institution_name,
    storage_option,
    object_count,
    file_count,
    total_bytes,
    total_gb,
    total_tb,
    cost_gb_per_month,
    monthly_cost,
    end_date,
    member_institution_id,
    primary_sort,
    secondary_sort
  )
  with known_institution as (
    select
      -- The planner can hash and merge on a substitute for NULL, not on "is not distinct from".
      coalesce(history.institution_id, -1) as institution_key,
      max(history.institution_name) as last_known_name
    from public.historical_deposit_stats as history
    group by 1
  ),

  known_option as (
    select distinct history.storage_option
    from public.historical_deposit_stats as history
  ),

  known_month as (
    select distinct history.end_date
    from public.historical_deposit_stats as history
  ),

  present as (
    select
      coalesce(history.institution_id, -1) as institution_key,
      history.storage_option,
      history.end_date
    from public.historical_deposit_stats as history
  )

  select
    nullif(known_institution.institution_key, -1),
    coalesce(institution.name, known_institution.last_known_name)::varchar(80),
    known_option.storage_option,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    known_month.end_date,
    case
      when known_institution.institution_key = -1 then 0
      else institution.member_institution_id
    end,
    case
      when known_institution.institution_key = -1 then 'zzz'
      else coalesce(institution.name, known_institution.last_known_name)
    end,
    case when known_option.storage_option = 'Total' then 'zzz' else known_option.storage_option end
  from known_institution
  cross join known_option
  cross join known_month
  left join public.institutions as institution
    on institution.id = known_institution.institution_key
  left join present
    on present.institution_key = known_institution.institution_key
    and present.storage_option = known_option.storage_option
    and present.end_date = known_month.end_date
  where present.end_date is null;

  get diagnostics v_added = row_count;
  return case when v_added > 0 then 1 else 0 end;
end
$$;

comment on function public.populate_empty_deposit_stats() is
  'Fills the grid of months, institutions and storage options with zero rows: 1 = added, 0 = full.';

-- Inserts the first day of each month from 2014-01 to now that has no rows, then the zero rows.
-- Does nothing, silently, while another session is running or if the flag is still 'true'.
create or replace function public.populate_all_historical_deposit_stats()
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  v_is_running text;
  v_month date;
begin
  select metadata.value
  into v_is_running
  from public.ar_internal_metadata as metadata
  where metadata.key = 'historical deposit stats is running'
  for update skip locked;

  if v_is_running is distinct from 'false' then
    return;
  end if;

  update public.ar_internal_metadata
  set value = 'true', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'historical deposit stats is running';

  for v_month in
    select month::date
    from generate_series(
      timestamp '2014-01-01',
      current_timestamp at time zone 'utc',
      interval '1 month'
    ) as month
  loop
    perform public.populate_historical_deposit_stats(v_month);
  end loop;

  perform public.populate_empty_deposit_stats();

  update public.ar_internal_metadata
  set value = 'false', updated_at = clock_timestamp() at time zone 'utc'
  where key = 'historical deposit stats is running';
end
$$;

comment on function public.populate_all_historical_deposit_stats() is
  'Inserts the missing months of the history since 2014-01, and the zero rows.';
end
$functions$;

update public.schema_migrations
set finished_at = clock_timestamp() at time zone 'utc'
where version = '001_deposit_stats';

commit;
