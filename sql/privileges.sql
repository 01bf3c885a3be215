-- Nothing in registry_stats is for PUBLIC. PostgreSQL lets PUBLIC execute each new function, and
-- default privileges of the owner may grant more. This file revokes both, so it runs after all
-- others. It keeps grants by name, as in sql/roles.sql and registry_stats.replace_view. If another
-- role owns Registry's functions, it may execute what they call.
--
-- Only its age distinguishes a default grant from a grant by name. So this file revokes only grants
-- of this transaction, on objects that it created. A migration that creates tables or sequences
-- must end the same way.
do $$
declare
  v_revoke text;
  v_role text;
  v_may_insert boolean;
begin
  revoke execute on all functions in schema registry_stats from public;

  for v_revoke in
    with object as (
      select 'schema' as kind, oid::regnamespace::text as name, tableoid, oid, nspacl as acl
      from pg_namespace
      where oid = 'registry_stats'::regnamespace
      union all
      select 'table', oid::regclass::text, tableoid, oid, relacl
      from pg_class
      where relnamespace = 'registry_stats'::regnamespace
      union all
      select 'routine', oid::regprocedure::text, tableoid, oid, proacl
      from pg_proc
      where pronamespace = 'registry_stats'::regnamespace
    )

    select distinct format(
      'revoke all on %s %s from %s',
      object.kind,
      object.name,
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
    )
    from object
    cross join lateral aclexplode(object.acl) as acl
    where acl.grantee = 0
      or exists (
        select
        from pg_shdepend
        where pg_shdepend.dbid = (select oid from pg_database where datname = current_database())
          and pg_shdepend.classid = object.tableoid
          and pg_shdepend.objid = object.oid
          and pg_shdepend.deptype = 'a'
          and pg_shdepend.refobjid = acl.grantee
          and pg_shdepend.xmin = pg_current_xact_id()::xid
      )
  loop
    execute v_revoke;
  end loop;

  -- Roles that could call Registry's functions keep that right: their owner, and roles that may
  -- refresh the views or insert into the history. A role that may only refresh still cannot insert
  -- a date of its choice.
  for v_role, v_may_insert in
    select quote_ident(pg_get_userbyid(caller.role)), bool_or(caller.may_insert)
    from (
      select proowner as role, true as may_insert
      from pg_proc
      where pronamespace = 'public'::regnamespace
        and proname in (
          'update_counts',
          'update_current_deposit_stats',
          'populate_all_historical_deposit_stats',
          'populate_historical_deposit_stats',
          'populate_empty_deposit_stats'
        )
      union all
      -- pg_maintain grants that right on all tables of all databases, without a grant on the views.
      -- So only its members count that may write the flags of Registry's functions.
      select member, false
      from pg_auth_members
      where roleid = to_regrole('pg_maintain')
        and has_table_privilege(member, to_regclass('public.ar_internal_metadata'), 'update')
      union all
      select acl.grantee, acl.privilege_type = 'INSERT'
      from pg_class
      cross join lateral aclexplode(pg_class.relacl) as acl
      where pg_class.relnamespace = 'public'::regnamespace
        and (
          acl.privilege_type = 'MAINTAIN' and pg_class.relname in (
            'premis_event_counts',
            'intellectual_object_counts',
            'generic_file_counts',
            'work_item_counts',
            'current_deposit_stats'
          )
          or acl.privilege_type = 'INSERT' and pg_class.relname = 'historical_deposit_stats'
        )
    ) as caller
    where caller.role <> 0
      and pg_get_userbyid(caller.role) <> current_user
    group by caller.role
  loop
    execute format('grant usage on schema registry_stats to %s', v_role);
    execute format('grant execute on function registry_stats.run_public(text) to %s', v_role);
    if v_may_insert then
      execute format(
        'grant execute on function registry_stats.insert_date(date), registry_stats.insert_zeros() to %s',
        v_role
      );
    end if;
  end loop;
end
$$;
