-- A made-up Registry for development and benchmarks, of any size; never for a database with data.
--
-- Sizes are settings of the session: registry_stats.sample_files (200000 unless set) and
-- registry_stats.sample_events (three per file unless set). There is an object per 25 files and a
-- work item per ten objects. Tables that the statistics do not read stay empty.
-- Every value is drawn by hashing the row's id, so equal sizes give equal rows. Times are in the
-- twelve years up to the last hour of yesterday, UTC, so they move with the day of loading.
-- The file locks these tables until it ends, and changes nothing if it fails.

begin;

set local maintenance_work_mem = '256MB';
set local work_mem = '64MB';
set local synchronous_commit = off;
set local jit = off;

do $$
declare
  v_table text;
  v_is_filled boolean;
begin
  foreach v_table in array array[
    'institutions', 'users', 'intellectual_objects', 'generic_files', 'checksums',
    'storage_records', 'premis_events', 'work_items', 'deletion_requests', 'alerts'
  ]
  loop
    execute format('select exists (select from public.%I)', v_table)
      into v_is_filled;
    if v_is_filled then
      raise exception using
        errcode = 'object_not_in_prerequisite_state',
        message = format('Expected empty tables for the sample data, found rows in %s', v_table),
        hint = 'Nothing was changed. Load the sample data into a database without data.';
    end if;
  end loop;
end
$$;

create temporary table sample_size (
  files bigint not null,
  objects bigint not null,
  events bigint not null,
  started_at timestamp not null,
  ended_at timestamp not null
) on commit drop;

do $$
declare
  v_files text := coalesce(
    nullif(current_setting('registry_stats.sample_files', true), ''),
    '200000'
  );
  v_events text := nullif(current_setting('registry_stats.sample_events', true), '');
  v_midnight timestamp := date_trunc('day', now() at time zone 'utc');
begin
  if v_files !~ '^[1-9][0-9]{0,8}$' or v_events !~ '^[0-9]{1,9}$' then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format(
        'Expected counts of at most nine digits in registry_stats.sample_files (at least 1)'
          || ' and registry_stats.sample_events, found %L and %L',
        v_files,
        v_events
      ),
      hint = 'For example: set registry_stats.sample_files = 200000';
  end if;

  insert into pg_temp.sample_size (files, objects, events, started_at, ended_at)
  values (
    v_files::bigint,
    greatest(1, v_files::bigint / 25),
    coalesce(v_events::bigint, v_files::bigint * 3),
    v_midnight - interval '12 years',
    v_midnight - interval '1 hour'
  );
end
$$;

-- A number from 0 up to, not including, 1: the same for the same id and salt.
create or replace function pg_temp.sample_unit(
  id bigint,
  salt bigint
)
returns float8
language sql
immutable
as $$
  select
    ((hashint8extended(sample_unit.id, sample_unit.salt) >> 11) & 9007199254740991)::float8
      / 9007199254740992
$$;

-- Rows are inserted faster without the secondary indexes. They are created again at the end.
create temporary table sample_index on commit drop as
select
  pg_index.indexrelid::regclass::text as name,
  pg_get_indexdef(pg_index.indexrelid) as definition
from pg_catalog.pg_index
where pg_index.indrelid in (
    'public.intellectual_objects'::regclass,
    'public.generic_files'::regclass,
    'public.premis_events'::regclass,
    'public.work_items'::regclass
  )
  and not pg_index.indisprimary;

do $$
declare
  v_name text;
begin
  for v_name in select sample_index.name from pg_temp.sample_index
  loop
    execute format('drop index %s', v_name);
  end loop;
end
$$;

-- Options that are there already keep their ids and prices.
insert into public.storage_options (
  id, provider, service, region, name, cost_gb_per_month, comment, updated_at
)
select
  options.place + (select coalesce(max(storage_options.id), 0) from public.storage_options),
  options.provider,
  options.service,
  options.region,
  options.name,
  options.cost_gb_per_month,
  'Sample data',
  sample_size.ended_at
from pg_temp.sample_size
cross join (
  values
    (1, 'AWS', 'S3 VA + Glacier OR', 'VA-OR', 'Standard', 0.41016),
    (2, 'AWS', 'S3', 'VA', 'S3-VA', 0.023),
    (3, 'AWS', 'S3', 'OH', 'S3-OH', 0.023),
    (4, 'AWS', 'S3', 'OR', 'S3-OR', 0.023),
    (5, 'AWS', 'Glacier', 'VA', 'Glacier-VA', 0.05859),
    (6, 'AWS', 'Glacier', 'OH', 'Glacier-OH', 0.05859),
    (7, 'AWS', 'Glacier', 'OR', 'Glacier-OR', 0.05859),
    (8, 'AWS', 'Glacier-Deep', 'VA', 'Glacier-Deep-VA', 0.01953),
    (9, 'AWS', 'Glacier-Deep', 'OH', 'Glacier-Deep-OH', 0.01953),
    (10, 'AWS', 'Glacier-Deep', 'OR', 'Glacier-Deep-OR', 0.01953),
    (11, 'Wasabi', 'S3', 'VA', 'Wasabi-VA', 0.0059),
    (12, 'Wasabi', 'S3', 'OR', 'Wasabi-OR', 0.0059),
    (13, 'Wasabi', 'S3', 'TX', 'Wasabi-TX', 0.0059)
) as options (place, provider, service, region, name, cost_gb_per_month)
on conflict (name) do nothing;

-- The first 14 are there from the beginning, the others join one by one. 38 has left, 39 to 43
-- subscribe through a member, 44 runs the repository, 45 is new and empty.
insert into public.institutions (
  id, name, identifier, created_at, updated_at, state, type, member_institution_id,
  deactivated_at, receiving_bucket, restore_bucket
)
select
  ids.id,
  'Institution ' || ids.id,
  'institution' || ids.id || '.example.edu',
  joined.at,
  joined.at,
  case when ids.id = 38 then 'D' else 'A' end,
  case
    when ids.id < 39 or ids.id = 45 then 'MemberInstitution'
    when ids.id < 44 then 'SubscribingInstitution'
  end,
  case when ids.id between 39 and 43 then ids.id % 3 + 1 end,
  case when ids.id = 38 then sample_size.ended_at end,
  'receiving.' || ids.id,
  'restore.' || ids.id
from pg_temp.sample_size
cross join generate_series(1, 45) as ids (id)
cross join lateral (
  select
    sample_size.started_at
      + greatest(0, ids.id - 14) / 31.0 * (sample_size.ended_at - sample_size.started_at)
      - interval '1 day' as at
) as joined;

-- Each object belongs to an institution that had joined by then, most of them to the oldest.
-- "offset 0" here and below keeps the planner from repeating a draw for each use of its column.
insert into public.intellectual_objects (
  id, title, identifier, access, bag_name, institution_id, created_at, updated_at, state,
  storage_option
)
select
  drawn.id,
  'Bag ' || drawn.id,
  'institution' || drawn.institution_id || '.example.edu/bag_' || drawn.id,
  'institution',
  'bag_' || drawn.id || '.tar',
  case when drawn.id % 5003 <> 17 then drawn.institution_id end,
  drawn.created_at,
  case
    when drawn.is_deleted
      then drawn.created_at
        + pg_temp.sample_unit(drawn.id, 5) * (sample_size.ended_at - drawn.created_at)
    else drawn.created_at
  end,
  case when drawn.is_deleted then 'D' else 'A' end,
  drawn.storage_option
from pg_temp.sample_size
cross join lateral (
  select
    ids.id,
    1 + floor((14 + 30 * passed.part) * pg_temp.sample_unit(ids.id, 1) ^ 3)::int as institution_id,
    (
      array[
        'S3-VA', 'S3-OH', 'S3-OR', 'Glacier-VA', 'Glacier-OH', 'Glacier-OR', 'Glacier-Deep-VA',
        'Glacier-Deep-OH', 'Glacier-Deep-OR', 'Wasabi-VA', 'Wasabi-OR', 'Wasabi-TX', 'Standard'
      ]
    )[
      1 + width_bucket(
        pg_temp.sample_unit(ids.id, 2),
        array[0.01, 0.015, 0.02, 0.05, 0.08, 0.10, 0.16, 0.22, 0.26, 0.29, 0.31, 0.32]
      )
    ] as storage_option,
    pg_temp.sample_unit(ids.id, 3) < 0.04 as is_deleted,
    sample_size.started_at
      + passed.part * (sample_size.ended_at - sample_size.started_at) as created_at
  from generate_series(1, sample_size.objects) as ids (id)
  cross join lateral (select sqrt(ids.id::float8 / sample_size.objects) as part) as passed
  offset 0
) as drawn;

analyze public.intellectual_objects;

-- In parts, to report the progress. Older objects have more files than new ones.
do $$
declare
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
  v_formats text[] := array[
    'text/plain', 'application/pdf', 'image/jpeg', 'image/tiff', 'application/xml',
    'audio/x-wav', 'application/octet-stream', 'video/mp4'
  ];
begin
  for v_part in 0..19 loop
    raise notice 'registry_stats.progress generic_files % % rows',
      v_size.files * v_part / 20, v_size.files;
    insert into public.generic_files (
      id, file_format, size, identifier, intellectual_object_id, created_at, updated_at, state,
      last_fixity_check, institution_id, storage_option, uuid, mod_time
    )
    select
      drawn.id,
      v_formats[1 + drawn.id % 8],
      case when drawn.id % 10007 <> 3 then floor(exp(21 * drawn.size_unit))::bigint end,
      drawn.object_identifier || '/data/file_' || drawn.id || '.bin',
      case when drawn.id % 100003 <> 41 then drawn.object_id end,
      drawn.created_at,
      drawn.updated_at,
      drawn.state,
      case when drawn.state = 'A' then drawn.updated_at else timestamp '2000-01-01' end,
      drawn.institution_id,
      drawn.storage_option,
      md5('file ' || drawn.id)::uuid,
      drawn.created_at
    from (
      select
        ids.id,
        pg_temp.sample_unit(ids.id, 12) as size_unit,
        intellectual_objects.id as object_id,
        intellectual_objects.identifier as object_identifier,
        coalesce(intellectual_objects.institution_id, 1) as institution_id,
        created.at as created_at,
        case
          when intellectual_objects.state = 'D' then intellectual_objects.updated_at
          else created.at + draws.unit * (v_size.ended_at - created.at)
        end as updated_at,
        case
          when intellectual_objects.state = 'D' or pg_temp.sample_unit(ids.id, 14) < 0.003 then 'D'
          else 'A'
        end as state,
        case
          when draws.is_late and draws.unit < 0.5 then 'Glacier-OH'
          else intellectual_objects.storage_option
        end as storage_option
      from generate_series(
        v_size.files * v_part / 20 + 1,
        v_size.files * (v_part + 1) / 20
      ) as ids (id)
      join public.intellectual_objects
        on intellectual_objects.id
          = 1 + floor(v_size.objects * ((ids.id - 1)::float8 / v_size.files) ^ 1.5)::int
      cross join lateral (
        -- Some files come long after their object, half of these with another storage option.
        select
          pg_temp.sample_unit(ids.id, 13) as unit,
          intellectual_objects.state = 'A' and pg_temp.sample_unit(ids.id, 16) < 0.03 as is_late
      ) as draws
      cross join lateral (
        select
          case
            when draws.is_late
              then intellectual_objects.created_at + pg_temp.sample_unit(ids.id, 15)
                * (v_size.ended_at - intellectual_objects.created_at)
            else intellectual_objects.created_at
          end as at
      ) as created
      offset 0
    ) as drawn;
  end loop;
  raise notice 'registry_stats.progress generic_files % % rows', v_size.files, v_size.files;
end
$$;

analyze public.generic_files;

do $$
declare
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
begin
  for v_part in 0..19 loop
    raise notice 'registry_stats.progress premis_events % % rows',
      v_size.events * v_part / 20, v_size.events;
    insert into public.premis_events (
      id, identifier, event_type, date_time, outcome_detail, detail, object, agent,
      intellectual_object_id, generic_file_id, created_at, updated_at, outcome, institution_id
    )
    select
      drawn.id,
      md5('event ' || drawn.id)::uuid,
      drawn.event_type,
      drawn.at,
      'file ' || drawn.file_id,
      'Sample event of a file',
      'preservation services',
      'https://agent.example.edu',
      drawn.object_id,
      case when not drawn.is_of_object then drawn.file_id end,
      drawn.at,
      drawn.at,
      case when pg_temp.sample_unit(drawn.id, 22) < 0.001 then 'Failed' else 'Success' end,
      case when drawn.id % 50021 <> 23 then drawn.institution_id end
    from (
      select
        ids.id,
        generic_files.id as file_id,
        generic_files.intellectual_object_id as object_id,
        generic_files.institution_id,
        draws.is_of_object,
        case
          when ids.id = ranges.first_id and draws.is_of_object then 'creation'
          when ids.id = ranges.first_id then 'ingestion'
          when ids.id = ranges.last_id and generic_files.state = 'D' then 'deletion'
          when draws.is_of_object and draws.unit < 0.3 then 'validation'
          when draws.is_of_object then 'access assignment'
          when ids.id > ranges.first_id + 1 or draws.unit < 0.3 then 'fixity check'
          when draws.unit < 0.9 then 'message digest calculation'
          when draws.unit < 0.95 then 'replication'
          else 'identifier assignment'
        end as event_type,
        case
          when ids.id <= ranges.first_id + 1 then generic_files.created_at
          else generic_files.updated_at
        end as at
      from public.generic_files
      cross join lateral (
        select
          v_size.events * (generic_files.id - 1) / v_size.files + 1 as first_id,
          v_size.events * generic_files.id / v_size.files as last_id
      ) as ranges
      cross join lateral generate_series(ranges.first_id, ranges.last_id) as ids (id)
      cross join lateral (
        -- The events of one file in 25 stand for those of an object, which have no file.
        select
          pg_temp.sample_unit(ids.id, 23) as unit,
          generic_files.id % 25 = 0 as is_of_object
      ) as draws
      where generic_files.id > v_size.files * v_part / 20
        and generic_files.id <= v_size.files * (v_part + 1) / 20
      offset 0
    ) as drawn;
  end loop;
  raise notice 'registry_stats.progress premis_events % % rows', v_size.events, v_size.events;
end
$$;

insert into public.work_items (
  id, created_at, updated_at, intellectual_object_id, name, bucket, "user", action, stage, status,
  outcome, date_processed, institution_id
)
select
  drawn.id,
  drawn.at,
  drawn.at,
  drawn.object_id,
  drawn.name,
  'receiving.' || drawn.institution_id,
  'system@example.edu',
  drawn.action,
  case when drawn.action = 'Ingest' then 'Cleanup' else 'Resolve' end,
  drawn.status,
  drawn.status,
  drawn.at,
  case when drawn.id % 1009 <> 29 then drawn.institution_id end
from (
  select
    (intellectual_objects.id + 9) / 10 as id,
    intellectual_objects.updated_at as at,
    intellectual_objects.id as object_id,
    intellectual_objects.bag_name as name,
    intellectual_objects.institution_id,
    case
      when intellectual_objects.state = 'D' then 'Delete'
      else (array['Restore Object', 'Restore File', 'Glacier Restore', 'Ingest'])[
        1 + width_bucket(
          pg_temp.sample_unit(intellectual_objects.id, 41),
          array[0.06, 0.11, 0.14]
        )
      ]
    end as action,
    (array['Failed', 'Cancelled', 'Success'])[
      1 + width_bucket(pg_temp.sample_unit(intellectual_objects.id, 42), array[0.02, 0.03])
    ] as status
  from public.intellectual_objects
  where intellectual_objects.id % 10 = 1
  offset 0
) as drawn;

do $$
declare
  v_index record;
  v_table text;
begin
  for v_index in
    select
      sample_index.definition,
      row_number() over (order by sample_index.name) as number,
      count(*) over () as total
    from pg_temp.sample_index
    order by sample_index.name
  loop
    raise notice 'registry_stats.progress indexes % % indexes', v_index.number - 1, v_index.total;
    execute v_index.definition;
  end loop;
  raise notice 'registry_stats.progress indexes % % indexes', v_index.total, v_index.total;

  foreach v_table in array array[
    'institutions', 'storage_options', 'intellectual_objects', 'generic_files', 'premis_events',
    'work_items'
  ]
  loop
    execute format('analyze public.%I', v_table);
    execute format(
      'select setval(%L, max(id), true) from public.%I having count(*) > 0',
      pg_get_serial_sequence('public.' || v_table, 'id'),
      v_table
    );
  end loop;
end
$$;

drop function pg_temp.sample_unit(bigint, bigint);

commit;
