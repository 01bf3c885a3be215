-- What stands in a live database of Registry after its own migrations 001 to 012: the statistics as
-- its people wrote them, and not as our 001 would. Loaded after sql/schema, by the owner of all.
--
-- No name carries a schema, here and in the functions: it all lives by the caller's search_path.
-- May be run again, as every migration of Registry may: it then puts its own objects back.

create table if not exists historical_deposit_stats (
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

create index if not exists ix_historical_deposit_stats_end_date
  on historical_deposit_stats (end_date);

create index if not exists ix_historical_deposit_stats_inst_id
  on historical_deposit_stats (institution_id);

create index if not exists ix_historical_deposit_stats_storage_option
  on historical_deposit_stats (storage_option);

create unique index if not exists ix_historical_inst_opt_date
  on historical_deposit_stats (institution_id, storage_option, end_date);

-- Counts.

drop materialized view if exists premis_event_counts;

create materialized view premis_event_counts as
select
  institution_id,
  count(*) as row_count,
  event_type,
  outcome,
  current_timestamp as updated_at
from premis_events
group by cube (institution_id, event_type, outcome)
order by institution_id, event_type, outcome;

create unique index ix_premis_event_counts
  on premis_event_counts (institution_id, event_type, outcome);

drop materialized view if exists intellectual_object_counts;

create materialized view intellectual_object_counts as
select
  institution_id,
  count(*) as row_count,
  state,
  current_timestamp as updated_at
from intellectual_objects
group by cube (institution_id, state)
order by institution_id, state;

create unique index ix_intellectual_object_counts
  on intellectual_object_counts (institution_id, state);

drop materialized view if exists generic_file_counts;

create materialized view generic_file_counts as
select
  institution_id,
  count(*) as row_count,
  state,
  current_timestamp as updated_at
from generic_files
group by cube (institution_id, state)
order by institution_id, state;

create unique index ix_generic_file_counts
  on generic_file_counts (institution_id, state);

drop materialized view if exists work_item_counts;

create materialized view work_item_counts as
select
  institution_id,
  count(*) as row_count,
  action,
  current_timestamp as updated_at
from work_items
group by cube (institution_id, action)
order by institution_id, action;

create unique index ix_work_item_counts
  on work_item_counts (institution_id, action);

-- Deposits. By name: two institutions of one name both show the sum of the two. A group that knows
-- no size at all shows NULL bytes and cost.

drop materialized view if exists current_deposit_stats;

create materialized view current_deposit_stats as
select
  known.id as institution_id,
  known.member_institution_id,
  coalesce(deposit.name, 'All Institutions') as institution_name,
  coalesce(deposit.storage_option, 'Total') as storage_option,
  deposit.file_count,
  deposit.object_count,
  deposit.total_bytes,
  deposit.total_bytes / 1073741824 as total_gb,
  deposit.total_bytes / 1099511627776 as total_tb,
  price.cost_gb_per_month,
  deposit.total_bytes / 1073741824 * price.cost_gb_per_month as monthly_cost,
  current_timestamp as end_date,
  coalesce(deposit.name, 'zzz') as primary_sort,
  coalesce(deposit.storage_option, 'zzz') as secondary_sort
from (
  select
    institutions.name,
    generic_files.storage_option,
    count(*) as file_count,
    count(distinct generic_files.intellectual_object_id) as object_count,
    sum(generic_files.size) as total_bytes
  from generic_files
  left join institutions on institutions.id = generic_files.institution_id
  where generic_files.state = 'A'
  group by cube (institutions.name, generic_files.storage_option)
) as deposit
left join institutions as known on known.name = deposit.name
left join storage_options as price on price.name = deposit.storage_option
order by primary_sort, secondary_sort;

create unique index ix_current_deposits_inst_id_storage_option
  on current_deposit_stats (institution_id, storage_option);

insert into ar_internal_metadata (key, value, created_at, updated_at)
select flag.key, 'false', now() at time zone 'utc', now() at time zone 'utc'
from (
  values
    ('update counts is running'),
    ('current_deposit_stats is running'),
    ('historical deposit stats is running')
) as flag (key)
on conflict (key) do nothing;

-- Waits for nobody. Only the age of work_item_counts decides, for all four views.
create or replace function update_counts()
returns integer
language plpgsql
as $$
declare
  v_flag text;
begin
  select value
  into v_flag
  from ar_internal_metadata
  where key = 'update counts is running'
  for update skip locked;

  if not found or v_flag = 'true' then
    return 0;
  end if;

  if exists (select from work_item_counts where institution_id is not null)
    and not exists (
      select from work_item_counts where updated_at < now() - interval '60 minutes'
    )
  then
    return 0;
  end if;

  update ar_internal_metadata
  set value = 'true', updated_at = now() at time zone 'utc'
  where key = 'update counts is running';

  refresh materialized view concurrently premis_event_counts;
  refresh materialized view concurrently intellectual_object_counts;
  refresh materialized view concurrently generic_file_counts;
  refresh materialized view concurrently work_item_counts;

  update ar_internal_metadata
  set value = 'false', updated_at = now() at time zone 'utc'
  where key = 'update counts is running';

  return 1;
end
$$;

-- A second caller passes the guard too, waits at the flag's row, and refreshes once more.
create or replace function update_current_deposit_stats()
returns integer
language plpgsql
as $$
begin
  if exists (
    select
    from ar_internal_metadata
    where key = 'current_deposit_stats is running' and value = 'true'
  ) then
    return 0;
  end if;

  if exists (select from current_deposit_stats where institution_id is not null)
    and not exists (
      select from current_deposit_stats where end_date < now() - interval '60 minutes'
    )
  then
    return 0;
  end if;

  update ar_internal_metadata
  set value = 'true', updated_at = now() at time zone 'utc'
  where key = 'current_deposit_stats is running';

  refresh materialized view concurrently current_deposit_stats;

  update ar_internal_metadata
  set value = 'false', updated_at = now() at time zone 'utc'
  where key = 'current_deposit_stats is running';

  return 1;
end
$$;

create or replace function populate_historical_deposit_stats(stop_date timestamp)
returns integer
language plpgsql
as $$
begin
  if exists (select from historical_deposit_stats where end_date = stop_date::date) then
    return 0;
  end if;

  insert into historical_deposit_stats (
    institution_id, institution_name, storage_option, object_count, file_count, total_bytes,
    total_gb, total_tb, cost_gb_per_month, monthly_cost, end_date, member_institution_id,
    primary_sort, secondary_sort
  )
  select
    known.id,
    coalesce(deposit.name, 'All Institutions'),
    coalesce(deposit.storage_option, 'Total'),
    deposit.object_count,
    deposit.file_count,
    deposit.total_bytes,
    deposit.total_bytes / 1073741824,
    deposit.total_bytes / 1099511627776,
    coalesce(price.cost_gb_per_month, 0),
    coalesce(deposit.total_bytes / 1073741824 * price.cost_gb_per_month, 0),
    stop_date::date,
    known.member_institution_id,
    coalesce(deposit.name, 'zzz'),
    coalesce(deposit.storage_option, 'zzz')
  from (
    select
      institutions.name,
      generic_files.storage_option,
      count(*) as file_count,
      count(distinct generic_files.intellectual_object_id) as object_count,
      coalesce(sum(generic_files.size), 0) as total_bytes
    from generic_files
    left join institutions on institutions.id = generic_files.institution_id
    where generic_files.state = 'A' and generic_files.created_at < stop_date
    group by cube (institutions.name, generic_files.storage_option)
  ) as deposit
  left join institutions as known on known.name = deposit.name
  left join storage_options as price on price.name = deposit.storage_option;

  return 1;
end
$$;

-- For a date without rows it fails at its last select, which has nowhere to put its result.
create or replace function populate_historical_deposit_stats(stop_date date)
returns integer
language plpgsql
as $$
begin
  if exists (select from historical_deposit_stats where end_date = stop_date) then
    return 0;
  end if;

  insert into historical_deposit_stats (
    institution_id, institution_name, storage_option, object_count, file_count, total_bytes,
    total_gb, total_tb, cost_gb_per_month, monthly_cost, end_date, member_institution_id,
    primary_sort, secondary_sort
  )
  select
    known.id,
    coalesce(deposit.name, 'All Institutions'),
    coalesce(deposit.storage_option, 'Total'),
    deposit.object_count,
    deposit.file_count,
    deposit.total_bytes,
    deposit.total_bytes / 1073741824,
    deposit.total_bytes / 1099511627776,
    coalesce(price.cost_gb_per_month, 0),
    coalesce(deposit.total_bytes / 1073741824 * price.cost_gb_per_month, 0),
    stop_date,
    known.member_institution_id,
    coalesce(deposit.name, 'zzz'),
    coalesce(deposit.storage_option, 'zzz')
  from (
    select
      institutions.name,
      generic_files.storage_option,
      count(*) as file_count,
      count(distinct generic_files.intellectual_object_id) as object_count,
      coalesce(sum(generic_files.size), 0) as total_bytes
    from generic_files
    left join institutions on institutions.id = generic_files.institution_id
    where generic_files.state = 'A' and generic_files.created_at < stop_date
    group by cube (institutions.name, generic_files.storage_option)
  ) as deposit
  left join institutions as known on known.name = deposit.name
  left join storage_options as price on price.name = deposit.storage_option;

  select populate_empty_deposit_stats();

  return 1;
end
$$;

-- Row by row: slow, and always 1.
create or replace function populate_empty_deposit_stats()
returns integer
language plpgsql
as $$
declare
  v_institution record;
  v_date date;
  v_option varchar;
begin
  for v_institution in
    select distinct institution_id, institution_name from historical_deposit_stats
  loop
    for v_date in select distinct end_date from historical_deposit_stats loop
      for v_option in select distinct storage_option from historical_deposit_stats loop
        if not exists (
          select
          from historical_deposit_stats
          where end_date = v_date
            and storage_option = v_option
            and institution_id is not distinct from v_institution.institution_id
        ) then
          insert into historical_deposit_stats (
            institution_id, institution_name, storage_option, object_count, file_count,
            total_bytes, total_gb, total_tb, cost_gb_per_month, monthly_cost, end_date,
            member_institution_id, primary_sort, secondary_sort
          )
          values (
            v_institution.institution_id,
            v_institution.institution_name,
            v_option,
            0, 0, 0, 0, 0, 0, 0,
            v_date,
            case
              when v_institution.institution_id is null then 0
              else (
                select member_institution_id
                from institutions
                where id = v_institution.institution_id
              )
            end,
            case
              when v_institution.institution_id is null then 'zzz'
              else v_institution.institution_name
            end,
            v_option
          );
        end if;
      end loop;
    end loop;
  end loop;

  update historical_deposit_stats
  set secondary_sort = 'zzz'
  where secondary_sort = 'Total';

  return 1;
end
$$;

-- Only the months: the zero rows are left to whoever calls populate_empty_deposit_stats().
create or replace function populate_all_historical_deposit_stats()
returns void
language plpgsql
as $$
declare
  v_month timestamp := '2014-01-01';
begin
  if exists (
    select
    from ar_internal_metadata
    where key = 'historical deposit stats is running' and value = 'true'
  ) then
    return;
  end if;

  update ar_internal_metadata
  set value = 'true', updated_at = now() at time zone 'utc'
  where key = 'historical deposit stats is running';

  while v_month < now() at time zone 'utc' loop
    perform populate_historical_deposit_stats(v_month);
    v_month := v_month + interval '1 month';
  end loop;

  update ar_internal_metadata
  set value = 'false', updated_at = now() at time zone 'utc'
  where key = 'historical deposit stats is running';
end
$$;

-- A helper of Registry's migrations.
create or replace function create_constraint_if_not_exists(
  t_name text,
  c_name text,
  constraint_sql text
)
returns void
language plpgsql
as $$
begin
  if not exists (
    select
    from information_schema.table_constraints
    where table_name = t_name and constraint_name = c_name
  ) then
    execute constraint_sql;
  end if;
end
$$;

insert into schema_migrations (version, started_at, finished_at)
values
  ('001_deposit_stats', '2023-01-10 15:00:00', '2023-01-10 15:20:00'),
  ('002_work_item_restorations', '2023-02-10 15:00:00', '2023-02-10 15:00:01'),
  ('003_alter_deposit_stats', '2023-03-10 15:00:00', '2023-03-10 15:00:01'),
  ('004_concurrent_deposit_stats', '2023-04-10 15:00:00', '2023-04-10 15:10:00'),
  ('005_deposit_timeline_stats', '2023-05-10 15:00:00', '2023-05-10 16:30:00'),
  ('006_performance_improvements', '2023-06-10 15:00:00', '2023-06-10 15:40:00'),
  ('007_spot_restore', '2023-09-10 15:00:00', '2023-09-10 15:00:01'),
  ('008_fix_update_counts', '2023-11-10 15:00:00', '2023-11-10 15:00:01'),
  ('009_update_storage_pricing', '2024-02-10 15:00:00', '2024-02-10 16:30:00'),
  ('010_alerts_view_email', '2024-05-10 15:00:00', '2024-05-10 15:00:01'),
  ('011_batch_deletion_work_items', '2024-08-10 15:00:00', '2024-08-10 15:00:01'),
  ('012_posix_metadata', '2025-01-10 15:00:00', '2025-01-10 15:00:01')
on conflict (version) do update
set started_at = excluded.started_at, finished_at = excluded.finished_at;
