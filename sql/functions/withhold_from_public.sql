-- Nothing in registry_stats is for everybody. PostgreSQL lets PUBLIC execute each new function, and
-- default privileges of the owner may give more: both are taken back, hence after all other files.
-- What was granted by name, as sql/roles.sql does, stays; and where Registry's functions belong to
-- another role, that role may execute what they call.
do $$
declare
  v_role text;
  v_kind text;
begin
  revoke execute on all functions in schema registry_stats from public;

  for v_role in
    select distinct
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
    from pg_default_acl
    cross join lateral aclexplode(pg_default_acl.defaclacl) as acl
    where pg_get_userbyid(pg_default_acl.defaclrole) = current_user
      and acl.grantee <> pg_default_acl.defaclrole
  loop
    execute format('revoke all on schema registry_stats from %s', v_role);
    foreach v_kind in array array['tables', 'sequences', 'functions'] loop
      execute format('revoke all on all %s in schema registry_stats from %s', v_kind, v_role);
    end loop;
  end loop;

  for v_role in
    select distinct quote_ident(pg_get_userbyid(proowner))
    from pg_proc
    where pronamespace = 'public'::regnamespace
      and proname in (
        'update_counts',
        'update_current_deposit_stats',
        'populate_all_historical_deposit_stats',
        'populate_historical_deposit_stats'
      )
      and pg_get_userbyid(proowner) <> current_user
  loop
    execute format('grant usage on schema registry_stats to %s', v_role);
    execute format(
      'grant execute on function registry_stats.run_public(text), registry_stats.insert_date(date)
      to %s',
      v_role
    );
  end loop;
end
$$;
