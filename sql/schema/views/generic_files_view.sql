-- A file with object, institution and newest digests; read by Registry's list and page of files.
-- The lateral aggregate reads the checksums of the files asked for, through
-- index_checksums_on_generic_file_id, and the planner drops it where no digest is wanted.

begin;

create view public.generic_files_view as
select
  generic_files.id,
  generic_files.file_format,
  generic_files.size,
  generic_files.identifier,
  generic_files.intellectual_object_id,
  intellectual_objects.identifier as object_identifier,
  intellectual_objects.access,
  generic_files.state,
  generic_files.last_fixity_check,
  generic_files.institution_id,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  generic_files.storage_option,
  generic_files.uuid,
  generic_files.mod_time,
  newest.md5,
  newest.sha1,
  newest.sha256,
  newest.sha512,
  generic_files.created_at,
  generic_files.updated_at
from public.generic_files
left join public.intellectual_objects
  on intellectual_objects.id = generic_files.intellectual_object_id
left join public.institutions
  on institutions.id = generic_files.institution_id
left join lateral (
  select
    (array_agg(ordered.digest) filter (where ordered.algorithm = 'md5'))[1] as md5,
    (array_agg(ordered.digest) filter (where ordered.algorithm = 'sha1'))[1] as sha1,
    (array_agg(ordered.digest) filter (where ordered.algorithm = 'sha256'))[1] as sha256,
    (array_agg(ordered.digest) filter (where ordered.algorithm = 'sha512'))[1] as sha512
  from (
    select
      checksums.algorithm,
      checksums.digest
    from public.checksums
    where checksums.generic_file_id = generic_files.id
    order by
      checksums.datetime desc nulls last,
      checksums.id desc
  ) as ordered
) as newest
  on true;

comment on view public.generic_files_view is
  'Files with object, institution and the newest md5, sha1, sha256 and sha512 digest.';

commit;
