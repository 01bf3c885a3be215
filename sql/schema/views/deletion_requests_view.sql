-- A deletion request with its people and sizes; read by Registry's list and page of requests.
-- The confirmation token stays in the table: no page shows it.

begin;

create view public.deletion_requests_view as
select
  deletion_requests.id,
  deletion_requests.institution_id,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  deletion_requests.requested_by_id,
  requester.name as requested_by_name,
  requester.email as requested_by_email,
  deletion_requests.requested_at,
  deletion_requests.confirmed_by_id,
  confirmer.name as confirmed_by_name,
  confirmer.email as confirmed_by_email,
  deletion_requests.confirmed_at,
  deletion_requests.cancelled_by_id,
  canceller.name as cancelled_by_name,
  canceller.email as cancelled_by_email,
  deletion_requests.cancelled_at,
  (
    select count(*)
    from public.deletion_requests_generic_files
    where deletion_requests_generic_files.deletion_request_id = deletion_requests.id
  ) as file_count,
  (
    select count(*)
    from public.deletion_requests_intellectual_objects
    where deletion_requests_intellectual_objects.deletion_request_id = deletion_requests.id
  ) as object_count
from public.deletion_requests
left join public.institutions
  on institutions.id = deletion_requests.institution_id
left join public.users as requester
  on requester.id = deletion_requests.requested_by_id
left join public.users as confirmer
  on confirmer.id = deletion_requests.confirmed_by_id
left join public.users as canceller
  on canceller.id = deletion_requests.cancelled_by_id;

comment on view public.deletion_requests_view is
  'Deletion requests with institution, requester, confirmer, canceller, file and object counts.';

commit;
