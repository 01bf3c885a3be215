-- Replaces public.<view> with registry_stats.<view> and restores its settings: those of the old
-- view, or the saved ones if it is gone. No cascade: if another view reads the old one, this fails
-- before it changes anything, and the message names that view.
--
-- Waits only briefly: a reader of several views may hold a lock on this one and wait for one that
-- is replaced already. Five such waits must end before deadlock_timeout (1 s) cancels the reader.
create or replace function registry_stats.replace_view(view text)
returns void
language plpgsql
set search_path = pg_catalog, pg_temp
set lock_timeout = '150ms'
as $$
declare
  v_old regclass := to_regclass(format('public.%I', replace_view.view));
  v_owner name;
  v_settings text[];
  v_role text;
  v_setting text;
  v_dependents text := registry_stats.dependents('public', replace_view.view);
begin
  if v_dependents is not null then
    raise exception 'registry_stats: other objects depend on public.%: %',
      replace_view.view, v_dependents
      using
        errcode = 'dependent_objects_still_exist',
        hint = 'drop them, run migrate or uninstall again, and create them again';
  end if;

  if v_old is null then
    v_settings := (
      select original.settings
      from registry_stats.original
      where original.name = replace_view.view
    );
    if v_settings is null then
      perform registry_stats.index_view('registry_stats', replace_view.view);
      v_settings := '{}';
    end if;
  else
    v_settings := registry_stats.view_settings(v_old);
    v_owner := (select pg_get_userbyid(relowner) from pg_class where oid = v_old);
    begin
      execute format('drop materialized view %s', v_old);
    exception when lock_not_available then
      raise exception 'registry_stats: could not lock %', v_old
        using errcode = 'lock_not_available', detail = registry_stats.blockers(v_old);
    end;
  end if;

  execute format('alter materialized view registry_stats.%I set schema public', replace_view.view);
  -- Revoke what default privileges granted. The grants of the old view follow.
  for v_role in
    select distinct
      case when acl.grantee = 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end
    from pg_class
    cross join lateral aclexplode(pg_class.relacl) as acl
    where pg_class.oid = to_regclass(format('public.%I', replace_view.view))
      and acl.grantee <> pg_class.relowner
  loop
    execute format('revoke all on public.%I from %s', replace_view.view, v_role);
  end loop;
  foreach v_setting in array v_settings loop
    execute v_setting;
  end loop;
  if not exists (
    select
    from pg_index
    where indrelid = format('public.%I', replace_view.view)::regclass
      and indisunique
      and indpred is null
      and indexprs is null
  ) then
    perform registry_stats.index_view('public', replace_view.view);
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
  'Replaces a view in public with the one of the same name in registry_stats, with its settings.';
