-- An institution with its parent; read by Registry's list and page of institutions.

begin;

create view public.institutions_view as
select
  institutions.id,
  institutions.name,
  institutions.identifier,
  institutions.state,
  institutions.type,
  institutions.deactivated_at,
  institutions.otp_enabled,
  institutions.receiving_bucket,
  institutions.restore_bucket,
  institutions.spot_restore_frequency,
  institutions.last_spot_restore_work_item_id,
  institutions.created_at,
  institutions.updated_at,
  parent.id as parent_id,
  parent.name as parent_name,
  parent.identifier as parent_identifier,
  parent.state as parent_state,
  parent.deactivated_at as parent_deactivated_at
from public.institutions
left join public.institutions as parent
  on parent.id = institutions.member_institution_id;

comment on view public.institutions_view is
  'Institutions with name, identifier and state of their parent.';

commit;
