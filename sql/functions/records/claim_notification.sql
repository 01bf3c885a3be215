-- Records the state of a subject, and returns whether it changed. If several daemons see the same
-- change, it is true for one of them: the others wait for its commit, then find the state in place.
-- Without a change it writes nothing.
create or replace function registry_stats.claim_notification(subject text, state text)
returns boolean
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  update registry_stats.notification
  set
    state = claim_notification.state,
    changed_at = clock_timestamp()
  where notification.subject = claim_notification.subject
    and notification.state <> claim_notification.state;
  return found;
end
$$;

comment on function registry_stats.claim_notification(text, text) is
  'Records the state of a subject; whether it changed, for one caller of several.';
