-- A work item with what it is about, by name; read by Registry's list and page of work items.

begin;

create view public.work_items_view as
select
  work_items.id,
  work_items.institution_id,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  work_items.intellectual_object_id,
  intellectual_objects.identifier as object_identifier,
  intellectual_objects.alt_identifier,
  intellectual_objects.bag_group_identifier,
  intellectual_objects.storage_option,
  intellectual_objects.bagit_profile_identifier,
  intellectual_objects.source_organization,
  intellectual_objects.internal_sender_identifier,
  work_items.generic_file_id,
  generic_files.identifier as generic_file_identifier,
  work_items.name,
  work_items.etag,
  work_items.bucket,
  work_items."user",
  work_items.note,
  work_items.action,
  work_items.stage,
  work_items.status,
  work_items.outcome,
  work_items.bag_date,
  work_items.date_processed,
  work_items.retry,
  work_items.node,
  work_items.pid,
  work_items.needs_admin_review,
  work_items.size,
  work_items.queued_at,
  work_items.stage_started_at,
  work_items.aptrust_approver,
  work_items.inst_approver,
  work_items.deletion_request_id,
  work_items.created_at,
  work_items.updated_at
from public.work_items
left join public.institutions
  on institutions.id = work_items.institution_id
left join public.intellectual_objects
  on intellectual_objects.id = work_items.intellectual_object_id
left join public.generic_files
  on generic_files.id = work_items.generic_file_id;

comment on view public.work_items_view is
  'Work items with institution, object and file identifiers and the object''s bag metadata.';

commit;
