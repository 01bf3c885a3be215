-- Nothing in registry_stats is for everybody. PostgreSQL lets PUBLIC execute each new function, and
-- default privileges of the owner may give more: both are taken back, hence after all other files.
-- What was granted by name, as sql/roles.sql does, stays.
do $$
declare
  v_grantee text;
  v_kind text;
begin
  revoke execute on all functions in schema registry_stats from public;

  for v_grantee in
    select distinct
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
    from pg_default_acl
    cross join lateral aclexplode(pg_default_acl.defaclacl) as acl
    where pg_get_userbyid(pg_default_acl.defaclrole) = current_user
      and acl.grantee <> pg_default_acl.defaclrole
  loop
    execute format('revoke all on schema registry_stats from %s', v_grantee);
    foreach v_kind in array array['tables', 'sequences', 'functions'] loop
      execute format('revoke all on all %s in schema registry_stats from %s', v_kind, v_grantee);
    end loop;
  end loop;
end
$$;
