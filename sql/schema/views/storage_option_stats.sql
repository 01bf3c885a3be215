-- Bytes and files by institution and storage option, rolled up; read by Registry's storage pages.
-- These are the rows of rollup (institution_id, storage_option), written as three levels because a
-- filter on institution_id does not pass grouping sets before PostgreSQL 18: each level takes the
-- filter by itself and reads one institution through its index, and may run in parallel.

begin;

create view public.storage_option_stats as
select
  stats.total_bytes,
  stats.file_count,
  stats.institution_id,
  stats.storage_option,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier
from (
  select
    generic_files.institution_id,
    generic_files.storage_option,
    coalesce(sum(generic_files.size), 0) as total_bytes,
    count(*) as file_count
  from public.generic_files
  where generic_files.state = 'A'
  group by
    generic_files.institution_id,
    generic_files.storage_option

  union all

  select
    generic_files.institution_id,
    null::varchar as storage_option,
    coalesce(sum(generic_files.size), 0) as total_bytes,
    count(*) as file_count
  from public.generic_files
  where generic_files.state = 'A'
  group by generic_files.institution_id

  union all

  select
    null::int as institution_id,
    null::varchar as storage_option,
    coalesce(sum(generic_files.size), 0) as total_bytes,
    count(*) as file_count
  from public.generic_files
  where generic_files.state = 'A'
) as stats
left join public.institutions
  on institutions.id = stats.institution_id;

comment on view public.storage_option_stats is
  'Bytes and count of active files per institution and storage option; NULL stands for all.';

commit;
