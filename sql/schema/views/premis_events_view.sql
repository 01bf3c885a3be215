-- An event with the names of what it happened to; read by Registry's list and page of events.

begin;

create view public.premis_events_view as
select
  premis_events.id,
  premis_events.identifier,
  premis_events.institution_id,
  institutions.name as institution_name,
  premis_events.intellectual_object_id,
  intellectual_objects.identifier as intellectual_object_identifier,
  premis_events.generic_file_id,
  generic_files.identifier as generic_file_identifier,
  premis_events.event_type,
  premis_events.date_time,
  premis_events.detail,
  premis_events.outcome,
  premis_events.outcome_detail,
  premis_events.outcome_information,
  premis_events.object,
  premis_events.agent,
  premis_events.created_at,
  premis_events.updated_at,
  premis_events.old_uuid
from public.premis_events
left join public.institutions
  on institutions.id = premis_events.institution_id
left join public.intellectual_objects
  on intellectual_objects.id = premis_events.intellectual_object_id
left join public.generic_files
  on generic_files.id = premis_events.generic_file_id;

comment on view public.premis_events_view is
  'Events with institution name and the identifiers of their object and file.';

commit;
