-- A checksum with the keys of its file; read by Registry's list and page of checksums.

begin;

create view public.checksums_view as
select
  checksums.id,
  checksums.algorithm,
  checksums.datetime,
  checksums.digest,
  generic_files.state,
  generic_files.identifier as generic_file_identifier,
  checksums.generic_file_id,
  generic_files.intellectual_object_id,
  generic_files.institution_id,
  checksums.created_at,
  checksums.updated_at
from public.checksums
left join public.generic_files
  on generic_files.id = checksums.generic_file_id;

comment on view public.checksums_view is
  'Checksums with state, identifier, object and institution of their file.';

commit;
