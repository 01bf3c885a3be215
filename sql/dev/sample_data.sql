-- A made-up Registry for development and benchmarks, of any size; never for a database with data.
--
-- Sizes are settings of the session: registry_stats.sample_files (200000 unless set) and
-- registry_stats.sample_events (three per file unless set); there is an object per 25 files.
-- Every value is drawn by hashing the row's id, so that equal sizes give equal rows. Times lie in
-- the twelve years up to the last hour of yesterday, UTC, so they move with the day of loading.
-- The secondary indexes of the big tables are dropped and built again: the file locks these tables
-- until it ends, and changes nothing if it fails.

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
  object_events bigint not null,
  file_events bigint not null,
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
  v_objects bigint;
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

  v_events := coalesce(v_events, (v_files::bigint * 3)::text);
  v_objects := greatest(1, v_files::bigint / 25);

  insert into pg_temp.sample_size (
    files, objects, object_events, file_events, started_at, ended_at
  )
  select
    v_files::bigint,
    v_objects,
    least(v_objects * 2, v_events::bigint / 5),
    v_events::bigint - least(v_objects * 2, v_events::bigint / 5),
    today.midnight - interval '12 years',
    today.midnight - interval '1 hour'
  from (select date_trunc('day', now() at time zone 'utc') as midnight) as today;

  raise notice 'Sample data: % objects, % files, % events', v_objects, v_files, v_events;
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

-- A number of the normal distribution (mean 0, deviation 1), by Box and Muller.
create or replace function pg_temp.sample_normal(
  id bigint,
  salt bigint
)
returns float8
language sql
immutable
as $$
  select
    sqrt(-2 * ln(1 - pg_temp.sample_unit(sample_normal.id, sample_normal.salt)))
      * cos(2 * pi() * pg_temp.sample_unit(sample_normal.id, sample_normal.salt + 1000))
$$;

create temporary table sample_index on commit drop as
select
  indexes.indexrelid::regclass::text as name,
  indexes.indrelid::regclass::text as table_name,
  pg_get_indexdef(indexes.indexrelid) as definition
from pg_catalog.pg_index as indexes
where indexes.indrelid in (
    'public.intellectual_objects'::regclass,
    'public.generic_files'::regclass,
    'public.premis_events'::regclass,
    'public.work_items'::regclass
  )
  and not indexes.indisprimary
  and not indexes.indisreplident
  and not exists (
    select
    from pg_catalog.pg_constraint
    where pg_constraint.conindid = indexes.indexrelid
  );

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

do $$
begin
  -- Loaded options came with their ids, and the sequence may not know of them yet.
  perform setval(
    pg_get_serial_sequence('public.storage_options', 'id'),
    coalesce(max(storage_options.id), 1),
    count(*) > 0
  )
  from public.storage_options;
end
$$;

insert into public.storage_options (
  provider, service, region, name, cost_gb_per_month, comment, updated_at
)
select
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
order by options.place
on conflict (name) do nothing;

-- 1 runs the repository, 2 is a consortium, 38 has left, 39 to 44 belong to another institution,
-- 45 is new and empty. "share" is the weight among depositors, "joined" the part of the twelve
-- years that had passed when the institution came.
create temporary table sample_institution on commit drop as
select
  places.id::int as id,
  names.name,
  lower(names.name) || '.example.edu' as identifier,
  case places.id
    when 1 then 0.001
    when 2 then 0.01
    when 45 then 0
    else 1 / (places.id - 2) ^ 1.2
  end as share,
  greatest(0, 0.7 * (places.id - 14) / 31) as joined,
  case
    when places.id in (39, 40, 41, 44) then 2
    when places.id = 42 then 3
    when places.id = 43 then 4
  end as parent_id
from unnest(
  string_to_array(
    'Keystone Northgate Birchwood Lakeview Harborside Stonebridge Ashford Millbrook Riverton'
      || ' Westmere Oakhurst Fairhaven Thornbury Glenwood Eastvale Claymont Redfield Summerlin'
      || ' Cedarcrest Brookdale Windham Larkspur Pinecrest Hawthorn Elmsford Greystone Maplewood'
      || ' Foxhall Bellmore Kingsport Ravenna Silverlake Tidewater Underhill Valmont Whitcomb'
      || ' Yarrow Zephyr Alder Bramble Cottonwood Dogwood Elder Fernleaf Goldenrod',
    ' '
  )
) with ordinality as names (name, place)
cross join lateral (select names.place::int as id) as places;

insert into public.institutions (
  id, name, identifier, created_at, updated_at, state, type, member_institution_id,
  deactivated_at, otp_enabled, receiving_bucket, restore_bucket, spot_restore_frequency
)
select
  sample_institution.id,
  case
    when sample_institution.id = 1 then sample_institution.name || ' Repository'
    when sample_institution.id = 2 then sample_institution.name || ' Consortium'
    when sample_institution.id % 3 = 0 then sample_institution.name || ' University'
    when sample_institution.id % 3 = 1 then sample_institution.name || ' College'
    else sample_institution.name || ' Library'
  end,
  sample_institution.identifier,
  joined.at,
  case when sample_institution.id = 38 then sample_size.ended_at else joined.at end,
  case when sample_institution.id = 38 then 'D' else 'A' end,
  case
    when sample_institution.id = 1 then null
    when sample_institution.parent_id is not null then 'SubscribingInstitution'
    else 'MemberInstitution'
  end,
  sample_institution.parent_id,
  case when sample_institution.id = 38 then sample_size.ended_at end,
  sample_institution.id % 4 = 1,
  'receiving.' || sample_institution.identifier,
  'restore.' || sample_institution.identifier,
  case when sample_institution.id % 5 = 3 then 90 else 0 end
from pg_temp.sample_institution
cross join pg_temp.sample_size
cross join lateral (
  select
    sample_size.started_at
      + sample_institution.joined * (sample_size.ended_at - sample_size.started_at)
      - interval '1 day' as at
) as joined
order by sample_institution.id;

insert into public.users (
  id, name, email, created_at, updated_at, institution_id, sign_in_count, email_verified,
  initial_password_updated, role
)
select
  row_number() over (order by institutions.id, people.place),
  people.name || ' ' || sample_institution.name,
  lower(people.name) || '@' || institutions.identifier,
  institutions.created_at,
  institutions.updated_at,
  institutions.id,
  people.place * institutions.id,
  true,
  true,
  case
    when institutions.id = 1 then 'sys_admin'
    when people.place = 1 then 'inst_admin'
    else 'inst_user'
  end
from public.institutions
join pg_temp.sample_institution
  on sample_institution.id = institutions.id
cross join (values (1, 'Alex'), (2, 'Robin'), (3, 'Kim')) as people (place, name)
where people.place <= 2 + institutions.id % 2;

-- The objects with all that their files, events and work items need of them. The number of files
-- of an object is log-normal too: running sums of the weights, scaled, give exactly all files.
create temporary table sample_object on commit drop as
with picked as (
  select
    places.id,
    sample_size.files,
    sample_size.ended_at,
    sqrt(places.id::float8 / sample_size.objects) as passed,
    sample_size.started_at
      + sqrt(places.id::float8 / sample_size.objects)
      * (sample_size.ended_at - sample_size.started_at) as created_at,
    1 + width_bucket(pg_temp.sample_unit(places.id, 1), shares.bounds) as institution_id,
    width_bucket(
      pg_temp.sample_unit(places.id, 2),
      array[0.01, 0.015, 0.02, 0.05, 0.08, 0.10, 0.16, 0.22, 0.26, 0.29, 0.31, 0.32]
    ) as option_place,
    pg_temp.sample_unit(places.id, 3) < 0.04 as is_deleted,
    sum(exp(1.2 * pg_temp.sample_normal(places.id, 4))) over (order by places.id) as weight_to,
    sum(exp(1.2 * pg_temp.sample_normal(places.id, 4))) over () as weight_of_all
  from pg_temp.sample_size
  cross join lateral generate_series(1, sample_size.objects) as places (id)
  cross join (
    select array_agg(bound order by bounds.id) filter (where bounds.id < 45) as bounds
    from (
      select
        sample_institution.id,
        sum(sample_institution.share) over (order by sample_institution.id)
          / sum(sample_institution.share) over () as bound
      from pg_temp.sample_institution
    ) as bounds
  ) as shares
),

placed as (
  select
    picked.id,
    picked.passed,
    picked.created_at,
    picked.is_deleted,
    picked.created_at
      + (0.1 + 0.9 * pg_temp.sample_unit(picked.id, 5)) * (picked.ended_at - picked.created_at)
      as deleted_at,
    -- Who had not joined by then leaves the object to one of the twelve oldest members.
    case
      when sample_institution.joined <= picked.passed then picked.institution_id
      else 3 + floor(12 * pg_temp.sample_unit(picked.id, 6) ^ 2)::int
    end as institution_id,
    (
      array[
        'S3-VA', 'S3-OH', 'S3-OR', 'Glacier-VA', 'Glacier-OH', 'Glacier-OR', 'Glacier-Deep-VA',
        'Glacier-Deep-OH', 'Glacier-Deep-OR', 'Wasabi-VA', 'Wasabi-OR', 'Wasabi-TX', 'Standard'
      ]
    )[picked.option_place + 1] as storage_option,
    floor(picked.files * (picked.weight_to / max(picked.weight_to) over ()))::bigint
      as last_file_id
  from picked
  join pg_temp.sample_institution
    on sample_institution.id = picked.institution_id
)

select
  placed.id,
  placed.created_at,
  placed.is_deleted,
  case when placed.is_deleted then placed.deleted_at else placed.created_at end as updated_at,
  placed.institution_id,
  placed.storage_option,
  sample_institution.identifier || '/'
    || (array['photographs', 'newspapers', 'theses', 'maps', 'oral_history', 'video', 'records'])
      [1 + floor(7 * pg_temp.sample_unit(placed.id, 7))::int]
    || '_' || placed.id as identifier,
  1 + lag(placed.last_file_id, 1, 0::bigint) over (order by placed.id) as first_file_id,
  placed.last_file_id
from placed
join pg_temp.sample_institution
  on sample_institution.id = placed.institution_id;

analyze pg_temp.sample_object;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_rows bigint;
begin
  insert into public.intellectual_objects (
    id, title, identifier, alt_identifier, access, bag_name, institution_id, created_at,
    updated_at, state, etag, bag_group_identifier, storage_option, bagit_profile_identifier,
    source_organization, internal_sender_identifier
  )
  select
    sample_object.id,
    'Bag ' || sample_object.id,
    sample_object.identifier,
    'local-' || sample_object.id,
    (array['institution', 'consortia', 'restricted'])[1 + sample_object.id % 3],
    split_part(sample_object.identifier, '/', 2) || '.tar',
    case when sample_object.id % 5003 <> 17 then sample_object.institution_id end,
    sample_object.created_at,
    sample_object.updated_at,
    case when sample_object.is_deleted then 'D' else 'A' end,
    md5('object ' || sample_object.id),
    'group-' || sample_object.id / 100,
    sample_object.storage_option,
    'https://profiles.example.edu/bagit-v2.json',
    sample_institution.name,
    'box-' || sample_object.id % 1000
  from pg_temp.sample_object
  join pg_temp.sample_institution
    on sample_institution.id = sample_object.institution_id
  order by sample_object.id;

  get diagnostics v_rows = row_count;
  raise notice 'Sample data: % objects in %', v_rows, clock_timestamp() - v_began;
end
$$;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_ended_at timestamp := (select sample_size.ended_at from pg_temp.sample_size);
  v_formats text[] := array[
    'text/plain', 'application/pdf', 'image/jpeg', 'image/tiff', 'application/xml',
    'audio/x-wav', 'application/octet-stream', 'video/mp4'
  ];
  v_suffixes text[] := array['txt', 'pdf', 'jpg', 'tif', 'xml', 'wav', 'bin', 'mp4'];
  -- Natural logarithms of the median size in bytes.
  v_medians float8[] := array[8.5, 13.5, 14.5, 17, 9, 17.5, 12, 19.5];
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
  v_rows bigint := 0;
  v_part_rows bigint;
begin
  -- In parts, to tell how far it is.
  for v_part in 0..19 loop
    raise notice 'registry_stats.progress generic_files % % rows', v_rows, v_size.files;
    -- "offset 0" keeps the planner from repeating a draw for each use of its column.
    insert into public.generic_files (
      id, file_format, size, identifier, intellectual_object_id, created_at, updated_at, state,
      last_fixity_check, institution_id, storage_option, uuid, mod_time
    )
    select
      timed.id,
      v_formats[timed.format],
      case
        when timed.id % 10007 = 3 then null
        when timed.place = 1 then 55
        else least(6.4e10, greatest(1, exp(v_medians[timed.format] + 1.6 * timed.normal)))::bigint
      end,
      timed.object_identifier || case timed.place
        when 1 then '/bagit.txt'
        when 2 then '/bag-info.txt'
        else '/data/file_' || timed.place || '.' || v_suffixes[timed.format]
      end,
      case when timed.id % 100003 <> 41 then timed.object_id end,
      timed.created_at,
      case
        when timed.is_deleted then timed.deleted_at
        when timed.is_checked then timed.checked_at
        else timed.created_at
      end,
      case when timed.is_deleted then 'D' else 'A' end,
      case
        when timed.is_checked and not timed.is_deleted then timed.checked_at
        else timestamp '2000-01-01'
      end,
      timed.institution_id,
      timed.storage_option,
      md5('file ' || timed.id)::uuid,
      timed.created_at - timed.unit * interval '5 years'
    from (
      select
        drawn.id,
        drawn.place,
        drawn.format,
        drawn.normal,
        drawn.unit,
        drawn.object_id,
        drawn.object_identifier,
        drawn.institution_id,
        drawn.created_at,
        drawn.is_object_deleted or drawn.is_deleted_alone as is_deleted,
        case
          when drawn.is_object_deleted then drawn.object_updated_at
          else drawn.created_at + drawn.unit * (v_ended_at - drawn.created_at)
        end as deleted_at,
        drawn.object_option not like 'Glacier%' as is_checked,
        greatest(drawn.created_at, v_ended_at - drawn.unit * interval '90 days') as checked_at,
        case
          when drawn.is_late and drawn.unit < 0.5 then 'Glacier-OH'
          else drawn.object_option
        end as storage_option
      from (
        select
          files.id,
          files.id - sample_object.first_file_id + 1 as place,
          case
            when files.id - sample_object.first_file_id < 2 then 1
            else 1 + width_bucket(
              pg_temp.sample_unit(files.id, 11),
              array[0.25, 0.45, 0.65, 0.85, 0.90, 0.94, 0.97]
            )
          end as format,
          pg_temp.sample_normal(files.id, 12) as normal,
          pg_temp.sample_unit(files.id, 13) as unit,
          sample_object.id as object_id,
          sample_object.identifier as object_identifier,
          sample_object.institution_id,
          sample_object.is_deleted as is_object_deleted,
          sample_object.updated_at as object_updated_at,
          sample_object.storage_option as object_option,
          pg_temp.sample_unit(files.id, 14) < 0.003 as is_deleted_alone,
          late.is_late,
          case
            when late.is_late
              then sample_object.created_at
                + pg_temp.sample_unit(files.id, 15) * (v_ended_at - sample_object.created_at)
            else sample_object.created_at
          end as created_at
        from pg_temp.sample_object
        cross join lateral generate_series(
          sample_object.first_file_id,
          sample_object.last_file_id
        ) as files (id)
        cross join lateral (
          select
            not sample_object.is_deleted and pg_temp.sample_unit(files.id, 16) < 0.03 as is_late
        ) as late
        where sample_object.id > v_size.objects * v_part / 20
          and sample_object.id <= v_size.objects * (v_part + 1) / 20
        offset 0
      ) as drawn
      offset 0
    ) as timed;

    get diagnostics v_part_rows = row_count;
    v_rows := v_rows + v_part_rows;
  end loop;
  raise notice 'registry_stats.progress generic_files % % rows', v_rows, v_size.files;

  raise notice 'Sample data: % files in %', v_rows, clock_timestamp() - v_began;
end
$$;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
  v_rows bigint;
begin
  insert into public.premis_events (
    id, identifier, event_type, date_time, outcome_detail, detail, object, agent,
    intellectual_object_id, created_at, updated_at, outcome, institution_id
  )
  select
    drawn.id,
    md5('event ' || drawn.id)::uuid,
    drawn.event_type,
    drawn.date_time,
    'bag ' || drawn.object_id,
    'Sample event of an object',
    'preservation services',
    'https://agent.example.edu',
    drawn.object_id,
    drawn.date_time,
    drawn.date_time,
    case when pg_temp.sample_unit(drawn.id, 22) < 0.002 then 'Failed' else 'Success' end,
    drawn.institution_id
  from (
    select
      events.id,
      sample_object.id as object_id,
      sample_object.institution_id,
      case
        when events.id = ranges.first_id then 'creation'
        when sample_object.is_deleted then 'deletion'
        when pg_temp.sample_unit(events.id, 21) < 0.3 then 'validation'
        else 'access assignment'
      end as event_type,
      case
        when events.id = ranges.first_id then sample_object.created_at
        else sample_object.updated_at
      end as date_time
    from pg_temp.sample_object
    cross join lateral (
      select
        v_size.object_events * (sample_object.id - 1) / v_size.objects + 1 as first_id,
        v_size.object_events * sample_object.id / v_size.objects as last_id
    ) as ranges
    cross join lateral generate_series(ranges.first_id, ranges.last_id) as events (id)
    offset 0
  ) as drawn;

  get diagnostics v_rows = row_count;
  raise notice 'Sample data: % events of objects in %', v_rows, clock_timestamp() - v_began;
end
$$;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
  v_rows bigint := 0;
  v_part_rows bigint;
begin
  for v_part in 0..19 loop
    raise notice 'registry_stats.progress premis_events % % rows', v_rows, v_size.file_events;
    -- A file is ingested, digested, then checked again and again; a deleted one is deleted last.
    insert into public.premis_events (
      id, identifier, event_type, date_time, outcome_detail, detail, object, agent,
      intellectual_object_id, generic_file_id, created_at, updated_at, outcome, institution_id
    )
    select
      drawn.id,
      md5('event ' || drawn.id)::uuid,
      drawn.event_type,
      drawn.date_time,
      'file ' || drawn.file_id,
      'Sample event of a file',
      'preservation services',
      'https://agent.example.edu',
      drawn.object_id,
      drawn.file_id,
      drawn.date_time,
      drawn.date_time,
      case when pg_temp.sample_unit(drawn.id, 22) < 0.001 then 'Failed' else 'Success' end,
      case when drawn.id % 50021 <> 23 then drawn.institution_id end
    from (
      select
        v_size.object_events + events.place as id,
        generic_files.id as file_id,
        generic_files.intellectual_object_id as object_id,
        generic_files.institution_id,
        case
          when events.place = ranges.first_place then 'ingestion'
          when events.place = ranges.first_place + 1 and kind.unit < 0.86
            then 'message digest calculation'
          when events.place = ranges.first_place + 1 and kind.unit < 0.93 then 'replication'
          when events.place = ranges.first_place + 1 then 'identifier assignment'
          when events.place = ranges.last_place and generic_files.state = 'D' then 'deletion'
          else 'fixity check'
        end as event_type,
        case
          when events.place <= ranges.first_place + 1 then generic_files.created_at
          when events.place = ranges.last_place then generic_files.updated_at
          else generic_files.created_at
            + kind.unit * (generic_files.updated_at - generic_files.created_at)
        end as date_time
      from public.generic_files
      cross join lateral (
        select
          v_size.file_events * (generic_files.id - 1) / v_size.files + 1 as first_place,
          v_size.file_events * generic_files.id / v_size.files as last_place
      ) as ranges
      cross join lateral generate_series(ranges.first_place, ranges.last_place) as events (place)
      cross join lateral (select pg_temp.sample_unit(events.place, 23) as unit) as kind
      where generic_files.id > v_size.files * v_part / 20
        and generic_files.id <= v_size.files * (v_part + 1) / 20
      offset 0
    ) as drawn;

    get diagnostics v_part_rows = row_count;
    v_rows := v_rows + v_part_rows;
  end loop;
  raise notice 'registry_stats.progress premis_events % % rows', v_rows, v_size.file_events;

  raise notice 'Sample data: % events of files in %', v_rows, clock_timestamp() - v_began;
end
$$;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_step bigint := (select greatest(1, sample_size.files / 10000) from pg_temp.sample_size);
  v_rows bigint;
begin
  -- Only every so many files: these two tables are here to be looked at, not to be measured.
  insert into public.checksums (
    id, algorithm, datetime, digest, generic_file_id, created_at, updated_at
  )
  select
    row_number() over (order by files.id, digests.place),
    digests.algorithm,
    digests.at,
    case digests.algorithm
      when 'md5' then md5(digests.place || ' ' || files.id)
      else encode(sha256(convert_to(digests.place || ' ' || files.id, 'utf8')), 'hex')
    end,
    files.id,
    digests.at,
    digests.at
  from (
    select
      generic_files.id,
      generic_files.created_at,
      generic_files.updated_at
    from public.generic_files
    where generic_files.id % v_step = 0
  ) as files
  cross join lateral (
    values
      (1, 'md5', files.created_at),
      (2, 'sha256', files.created_at),
      (3, 'sha256', files.updated_at)
  ) as digests (place, algorithm, at)
  where digests.place < 3
    or pg_temp.sample_unit(files.id, 31) < 0.1;

  insert into public.storage_records (id, generic_file_id, url)
  select
    row_number() over (order by generic_files.id),
    generic_files.id,
    'https://' || lower(generic_files.storage_option) || '.example.edu/' || generic_files.uuid
  from public.generic_files
  where generic_files.id % v_step = 0
    and generic_files.state = 'A';

  get diagnostics v_rows = row_count;
  raise notice 'Sample data: checksums and storage records of % files in %',
    v_rows, clock_timestamp() - v_began;
end
$$;

-- Requests for deletion: deleted objects had one, confirmed; a few others are open or cancelled.
create temporary table sample_request on commit drop as
select
  row_number() over (order by chosen.updated_at, chosen.id) as id,
  chosen.id as object_id,
  chosen.first_file_id,
  chosen.last_file_id,
  chosen.is_deleted,
  chosen.institution_id,
  chosen.updated_at as requested_at,
  people.requester_id,
  people.admin_id
from (
  select
    sample_object.id,
    sample_object.first_file_id,
    sample_object.last_file_id,
    sample_object.is_deleted,
    sample_object.institution_id,
    sample_object.updated_at,
    row_number() over (
      partition by sample_object.is_deleted
      order by sample_object.id desc
    ) as place
  from pg_temp.sample_object
) as chosen
join (
  select
    users.institution_id,
    max(users.id) as requester_id,
    min(users.id) as admin_id
  from public.users
  group by users.institution_id
) as people
  on people.institution_id = chosen.institution_id
where chosen.place <= case when chosen.is_deleted then 200 else 8 end;

insert into public.deletion_requests (
  id, institution_id, requested_by_id, requested_at, encrypted_confirmation_token,
  confirmed_by_id, confirmed_at, cancelled_by_id, cancelled_at
)
select
  sample_request.id,
  sample_request.institution_id,
  sample_request.requester_id,
  sample_request.requested_at,
  'placeholder',
  case when sample_request.is_deleted then sample_request.admin_id end,
  case when sample_request.is_deleted then sample_request.requested_at end,
  case when not sample_request.is_deleted and sample_request.object_id % 2 = 0
    then sample_request.admin_id
  end,
  case when not sample_request.is_deleted and sample_request.object_id % 2 = 0
    then sample_request.requested_at
  end
from pg_temp.sample_request;

insert into public.deletion_requests_intellectual_objects (
  deletion_request_id, intellectual_object_id
)
select
  sample_request.id,
  sample_request.object_id
from pg_temp.sample_request
where sample_request.is_deleted
  or sample_request.first_file_id > sample_request.last_file_id;

insert into public.deletion_requests_generic_files (deletion_request_id, generic_file_id)
select
  sample_request.id,
  sample_request.first_file_id
from pg_temp.sample_request
where not sample_request.is_deleted
  and sample_request.first_file_id <= sample_request.last_file_id;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_size pg_temp.sample_size := (select sample_size from pg_temp.sample_size);
  v_rows bigint;
begin
  -- One for each ten objects; those of the last three days are still on their way.
  insert into public.work_items (
    id, created_at, updated_at, intellectual_object_id, generic_file_id, name, etag, bucket,
    "user", action, stage, status, outcome, bag_date, date_processed, retry, institution_id,
    queued_at, size, deletion_request_id
  )
  select
    items.id,
    items.at,
    items.at,
    items.object_id,
    case when items.action = 'Restore File' then items.file_id end,
    split_part(items.object_identifier, '/', 2) || '.tar',
    md5('object ' || items.object_id),
    'receiving.' || split_part(items.object_identifier, '/', 1),
    'system@' || split_part(items.object_identifier, '/', 1),
    items.action,
    case
      when items.is_open and items.action = 'Ingest' then 'Receive'
      when items.is_open then 'Requested'
      when items.action = 'Ingest' then 'Cleanup'
      else 'Resolve'
    end,
    items.status,
    case when not items.is_open then items.status end,
    items.at,
    case when not items.is_open then items.at end,
    items.is_open,
    case when items.id % 1009 <> 29 then items.institution_id end,
    items.at,
    floor(exp(20 + 2 * pg_temp.sample_normal(items.id, 43)))::bigint,
    items.request_id
  from (
    select
      drawn.id,
      drawn.object_id,
      drawn.object_identifier,
      drawn.file_id,
      drawn.institution_id,
      drawn.is_open,
      drawn.at,
      drawn.request_id,
      case
        when drawn.is_deleted then 'Delete'
        when drawn.unit < 0.06 then 'Restore Object'
        when drawn.unit < 0.11 and drawn.file_id is not null then 'Restore File'
        when drawn.unit < 0.14 then 'Glacier Restore'
        else 'Ingest'
      end as action,
      case
        when drawn.is_open and drawn.unit < 0.5 then 'Started'
        when drawn.is_open then 'Pending'
        when drawn.status_unit < 0.02 then 'Failed'
        when drawn.status_unit < 0.03 then 'Cancelled'
        else 'Success'
      end as status
    from (
      select
        places.id,
        sample_object.id as object_id,
        sample_object.identifier as object_identifier,
        case when sample_object.first_file_id <= sample_object.last_file_id
          then sample_object.first_file_id
        end as file_id,
        sample_object.institution_id,
        sample_object.is_deleted,
        sample_object.updated_at as at,
        sample_object.updated_at > v_size.ended_at - interval '3 days' as is_open,
        case when sample_request.is_deleted then sample_request.id end as request_id,
        pg_temp.sample_unit(places.id, 41) as unit,
        pg_temp.sample_unit(places.id, 42) as status_unit
      from generate_series(1, (v_size.objects + 9) / 10) as places (id)
      join pg_temp.sample_object
        on sample_object.id
          = least(v_size.objects, places.id * 10 - floor(10 * pg_temp.sample_unit(places.id, 44)))
      left join pg_temp.sample_request
        on sample_request.object_id = sample_object.id
      offset 0
    ) as drawn
    offset 0
  ) as items
  order by items.id;

  get diagnostics v_rows = row_count;
  raise notice 'Sample data: % work items in %', v_rows, clock_timestamp() - v_began;
end
$$;

update public.institutions
set last_spot_restore_work_item_id = restored.work_item_id
from (
  select
    work_items.institution_id,
    max(work_items.id) as work_item_id
  from public.work_items
  where work_items.action = 'Restore Object'
  group by work_items.institution_id
) as restored
where restored.institution_id = institutions.id
  and institutions.spot_restore_frequency > 0;

do $$
declare
  v_began timestamptz := clock_timestamp();
  v_table_name text;
  v_definition text;
begin
  for v_table_name in
    select sample_index.table_name
    from pg_temp.sample_index
    group by sample_index.table_name
    order by sample_index.table_name
  loop
    v_began := clock_timestamp();
    for v_definition in
      select sample_index.definition
      from pg_temp.sample_index
      where sample_index.table_name = v_table_name
    loop
      execute v_definition;
    end loop;
    raise notice 'Sample data: indexes of % in %', v_table_name, clock_timestamp() - v_began;
  end loop;
end
$$;

analyze
  public.institutions, public.storage_options, public.users, public.intellectual_objects,
  public.generic_files, public.checksums, public.storage_records, public.premis_events,
  public.work_items, public.deletion_requests, public.deletion_requests_generic_files,
  public.deletion_requests_intellectual_objects;

-- An alert for each request, and one for each of the last failed fixity checks and work items.
create temporary table sample_alert on commit drop as
select
  row_number() over (order by causes.at, causes.type, causes.cause_id) as id,
  causes.type,
  causes.at,
  causes.cause_id,
  causes.institution_id
from (
  select
    'Deletion Requested' as type,
    sample_request.requested_at as at,
    sample_request.id as cause_id,
    sample_request.institution_id
  from pg_temp.sample_request

  union all

  (
    select
      'Failed Fixity Check',
      premis_events.date_time,
      premis_events.id,
      premis_events.institution_id
    from public.premis_events
    where premis_events.event_type = 'fixity check'
      and premis_events.outcome = 'Failed'
    order by premis_events.id desc
    limit 20
  )

  union all

  (
    select
      'Work Item Failed',
      work_items.updated_at,
      work_items.id,
      work_items.institution_id
    from public.work_items
    where work_items.status = 'Failed'
    order by work_items.id desc
    limit 20
  )
) as causes;

insert into public.alerts (
  id, institution_id, type, subject, content, deletion_request_id, created_at
)
select
  sample_alert.id,
  sample_alert.institution_id,
  sample_alert.type,
  sample_alert.type,
  'Sample alert',
  case when sample_alert.type = 'Deletion Requested' then sample_alert.cause_id end,
  sample_alert.at
from pg_temp.sample_alert;

insert into public.alerts_users (alert_id, user_id, sent_at, read_at)
select
  sample_alert.id,
  users.id,
  sample_alert.at,
  case when (sample_alert.id + users.id) % 3 > 0 then sample_alert.at end
from pg_temp.sample_alert
join public.users
  on users.institution_id = sample_alert.institution_id;

insert into public.alerts_premis_events (alert_id, premis_event_id)
select
  sample_alert.id,
  sample_alert.cause_id
from pg_temp.sample_alert
where sample_alert.type = 'Failed Fixity Check';

insert into public.alerts_work_items (alert_id, work_item_id)
select
  sample_alert.id,
  sample_alert.cause_id
from pg_temp.sample_alert
where sample_alert.type = 'Work Item Failed';

analyze
  public.alerts, public.alerts_users, public.alerts_premis_events, public.alerts_work_items;

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'institutions', 'storage_options', 'users', 'intellectual_objects', 'generic_files',
    'checksums', 'storage_records', 'premis_events', 'work_items', 'deletion_requests', 'alerts'
  ]
  loop
    execute format(
      'select setval(%L, coalesce(max(id), 1), max(id) is not null) from public.%I',
      pg_get_serial_sequence('public.' || v_table, 'id'),
      v_table
    );
  end loop;
  raise notice 'Sample data: done in %', clock_timestamp() - now();
end
$$;

drop function pg_temp.sample_normal(bigint, bigint);
drop function pg_temp.sample_unit(bigint, bigint);

commit;
