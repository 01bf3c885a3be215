-- A user without secrets, with institution and parent; read by Registry's list and page of users.
-- Passwords, keys, tokens and one-time codes stay in the table.

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
  users.consumed_timestep,
  users.otp_required_for_login,
  users.deactivated_at,
  users.enabled_two_factor,
  users.confirmed_two_factor,
  users.authy_id,
  users.last_sign_in_with_authy,
  users.authy_status,
  users.email_verified,
  users.initial_password_updated,
  users.force_password_update,
  users.account_confirmed,
  users.grace_period,
  users.role,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  institutions.state as institution_state,
  institutions.type as institution_type,
  institutions.member_institution_id,
  parent.name as member_institution_name,
  parent.identifier as member_institution_identifier,
  parent.state as member_institution_state,
  institutions.otp_enabled,
  institutions.receiving_bucket,
  institutions.restore_bucket
from public.users
left join public.institutions
  on institutions.id = users.institution_id
left join public.institutions as parent
  on parent.id = institutions.member_institution_id;

comment on view public.users_view is
  'Users without secrets, with their institution and its parent.';

commit;
