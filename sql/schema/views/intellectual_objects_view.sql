-- An object with its institution and the sums of its active files; read by Registry's list and page
-- of objects.
-- The lateral aggregate reads the files of the objects asked for, through
-- index_generic_files_on_intellectual_object_id, and the planner drops it where no sum is wanted.

begin;

create view public.intellectual_objects_view as
select
  intellectual_objects.id,
  intellectual_objects.title,
  intellectual_objects.description,
  intellectual_objects.identifier,
  intellectual_objects.alt_identifier,
  intellectual_objects.access,
  intellectual_objects.bag_name,
  intellectual_objects.institution_id,
  intellectual_objects.state,
  intellectual_objects.etag,
  intellectual_objects.bag_group_identifier,
  intellectual_objects.storage_option,
  intellectual_objects.bagit_profile_identifier,
  intellectual_objects.source_organization,
  intellectual_objects.internal_sender_identifier,
  intellectual_objects.internal_sender_description,
  intellectual_objects.created_at,
  intellectual_objects.updated_at,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  institutions.type as institution_type,
  institutions.member_institution_id as institution_parent_id,
  files.file_count,
  files.size,
  files.payload_file_count,
  files.payload_size
from public.intellectual_objects
left join public.institutions
  on institutions.id = intellectual_objects.institution_id
left join lateral (
  select
    count(*) as file_count,
    coalesce(sum(active.size), 0) as size,
    count(*) filter (where active.is_payload) as payload_file_count,
    coalesce(sum(active.size) filter (where active.is_payload), 0) as payload_size
  from (
    select
      generic_files.size,
      -- Not "like": an underscore is common in identifiers, and a wildcard there.
      starts_with(generic_files.identifier, intellectual_objects.identifier || '/data/')
        as is_payload
    from public.generic_files
    where generic_files.intellectual_object_id = intellectual_objects.id
      and generic_files.state = 'A'
  ) as active
) as files
  on true;

comment on view public.intellectual_objects_view is
  'Objects with institution, and count and bytes of their active files and active payload files.';

commit;
