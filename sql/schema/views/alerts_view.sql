-- An alert once per recipient, or once without one; read by Registry's list and page of alerts.

begin;

create view public.alerts_view as
select
  alerts.id,
  alerts.institution_id,
  institutions.name as institution_name,
  institutions.identifier as institution_identifier,
  alerts.type,
  alerts.subject,
  alerts.content,
  alerts.deletion_request_id,
  alerts.created_at,
  alerts_users.user_id,
  users.name as user_name,
  users.email as user_email,
  alerts_users.sent_at,
  alerts_users.read_at
from public.alerts
left join public.institutions
  on institutions.id = alerts.institution_id
left join public.alerts_users
  on alerts_users.alert_id = alerts.id
left join public.users
  on users.id = alerts_users.user_id;

comment on view public.alerts_view is
  'Alerts, one row per recipient, with institution and recipient.';

commit;
