-- Part of the script that `registry-stats migrate --print` prints: refuses a role that does not own
-- Registry's tables.
do $$
declare
  v_owner name := (
    select pg_get_userbyid(relowner)
    from pg_class
    where oid = to_regclass('public.generic_files')
      and pg_get_userbyid(relowner) <> current_user
  );
begin
  if v_owner is not null then
    raise exception 'this script is to be run by role %, who owns Registry''s tables', v_owner;
  end if;
end
$$;
