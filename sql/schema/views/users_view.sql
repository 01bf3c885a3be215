-- A user without secrets, with institution and parent; read by Registry's list and page of users.
-- Passwords, keys, tokens, one-time codes and the Authy id stay in the table.

begin;

create view public.users_view as
select
  users.id,
  users.name,
  users.email,
  users.phone_number,
  users.created_at,
  users.updated_at,
  users.reset_password_sent_at,
  users.remember_created_at,
  users.sign_in_count,
  users.current_sign_in_at,
  users.last_sign_in_at,
  users.current_sign_in_ip,
  users.last_sign_in_ip,
  users.institution_id,
  users.password_changed_at,
  users.deactivated_at,
  users.enabled_two_factor,
  users.confirmed_two_factor,
  users.last_sign_in_with_authy,
  users.authy_status,
  users.email_verified,
  users.initial_password_updated,
  users.force_password_update,
  users.account_confirmed,
  users.grace_period,
  users.awaiting_second_factor,
  users.role,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  institutions.state as institution_state,
  institutions.type as institution_type,
  institutions.member_institution_id as institution_parent_id,
  parent.name as institution_parent_name,
  parent.identifier as institution_parent_identifier,
  parent.state as institution_parent_state
from public.users
left join public.institutions
  on institutions.id = users.institution_id
left join public.institutions as parent
  on parent.id = institutions.member_institution_id;

comment on view public.users_view is
  'Users without secrets, with their institution and its parent.';

commit;
