-- Identity of a captured table and its four capture triggers, or NULL if one is missing or disabled.
-- Whatever can change rows without capture changes it too: a dropped trigger, one that was disabled
-- and enabled again (its catalog row is then a newer version), a restored dump, a rewritten table.
create or replace function registry_stats.fingerprint(source text)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select
      case
        when count(pg_trigger.oid) = 4 then
          format('%s/%s/', pg_class.oid, pg_class.relfilenode)
            || string_agg(
              format('%s=%s.%s', pg_trigger.tgname, pg_trigger.oid, pg_trigger.xmin),
              ','
              order by pg_trigger.tgname
            )
      end
    from pg_class
    left join pg_trigger
      on pg_trigger.tgrelid = pg_class.oid
      and pg_trigger.tgname in (
        'registry_stats_insert',
        'registry_stats_update',
        'registry_stats_delete',
        'registry_stats_truncate'
      )
      and pg_trigger.tgenabled in ('O', 'A')
    where pg_class.oid = to_regclass(format('public.%I', fingerprint.source))
    group by pg_class.oid, pg_class.relfilenode
  );
end
$$;

comment on function registry_stats.fingerprint(text) is
  'Identity of a table and its capture triggers; NULL if capture is incomplete.';
