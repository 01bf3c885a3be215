import type pg from 'pg';

/** Throws for objects that the stand-in for pg_dump would omit. */
export async function refuseUnknownObjects(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(unknownObjects);
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name).join(', ');
  throw new Error(`expected only objects that the stand-in for pg_dump knows, found ${names}`);
}

/** Kinds of objects that Registry's schema does not have. */
const unknownObjects = `
  with namespace as (
    select oid from pg_catalog.pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
  )

  select format('%s (relkind %s)', oid::regclass, relkind) as name from pg_class
  where relnamespace in (select oid from namespace)
    and (
      relkind not in ('r', 'v', 'm', 'i', 'S')
      or relhassubclass
      or relrowsecurity
      or relkind = 'r' and relreplident <> 'd'
    )
  union all
  select format('type %s', oid::regtype) from pg_type
  where typnamespace in (select oid from namespace) and typtype not in ('c', 'd') and typelem = 0
  union all
  select format('rule %s on %s', rulename, ev_class::regclass) from pg_rewrite
  where rulename <> '_RETURN'
    and ev_class in (select oid from pg_class where relnamespace in (select oid from namespace))
  union all
  select format('aggregate %s', oid::regprocedure) from pg_proc
  where pronamespace in (select oid from namespace) and prokind not in ('f', 'p')
  union all
  select format('statistics %s', stxname) from pg_statistic_ext
  union all
  select format('event trigger %s', evtname) from pg_event_trigger
  union all
  select format('publication %s', pubname) from pg_publication
  union all
  select format('extension %s', extname) from pg_extension where extname <> 'plpgsql'`;
