-- Replaces public.<view> by registry_stats.<view>: indexes, owner, grants, comment and statistics
-- targets of the old one go over to the new one. No cascade: a view of somebody else's that reads the
-- old one makes this fail, with its name in the message.
--
-- Waits a moment only: a reader of several views may hold a lock on this one and wait for another
-- that was replaced already. Five such waits must end before deadlock_timeout (1 s) ends the reader.
create or replace function registry_stats.replace_view(view text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '150ms'
as $$
declare
  v_old oid := to_regclass(format('public.%I', replace_view.view));
  v_owner name;
  v_comment text;
  v_index text;
  v_indexes text[];
  v_grants text[];
  v_grant text;
begin
  select pg_get_userbyid(pg_class.relowner), obj_description(pg_class.oid, 'pg_class')
  into v_owner, v_comment
  from pg_class
  where pg_class.oid = v_old;

  v_indexes := array(
    select pg_get_indexdef(pg_index.indexrelid)
    from pg_index
    where pg_index.indrelid = v_old
  );

  select array_agg(
    format(
      'grant %s on public.%I to %s%s',
      acl.privilege_type,
      replace_view.view,
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end,
      case when acl.is_grantable then ' with grant option' else '' end
    )
  )
  into v_grants
  from pg_class
  cross join lateral aclexplode(pg_class.relacl) as acl
  where pg_class.oid = v_old
    and acl.grantee <> pg_class.relowner;

  execute format('drop materialized view public.%I', replace_view.view);
  execute format('alter materialized view registry_stats.%I set schema public', replace_view.view);
  -- What default privileges gave to the new one is no grant of the old one.
  for v_grant in
    select distinct
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
    from pg_class
    cross join lateral aclexplode(pg_class.relacl) as acl
    where pg_class.oid = to_regclass(format('public.%I', replace_view.view))
      and acl.grantee <> pg_class.relowner
  loop
    execute format('revoke all on public.%I from %s', replace_view.view, v_grant);
  end loop;
  foreach v_index in array v_indexes loop
    execute v_index;
  end loop;
  foreach v_grant in array coalesce(v_grants, '{}') loop
    execute v_grant;
  end loop;
  if v_comment is not null then
    execute format('comment on materialized view public.%I is %L', replace_view.view, v_comment);
  end if;
  if v_owner <> current_user then
    -- A refresh reads the rollups as the owner of the view.
    execute format('grant usage on schema registry_stats to %I', v_owner);
    execute format(
      'grant select on registry_stats.count_rollup, registry_stats.deposit_total to %I', v_owner
    );
    execute format('alter materialized view public.%I owner to %I', replace_view.view, v_owner);
  end if;
end
$$;

comment on function registry_stats.replace_view(text) is
  'Replaces a view of public by the one of the same name in registry_stats, with all that is on it.';
