-- Returns the fingerprint of one table, see registry_stats.fingerprints.
create or replace function registry_stats.fingerprint(source text)
returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select found.fingerprint
    from registry_stats.fingerprints(array[fingerprint.source]) as found
  );
end
$$;

comment on function registry_stats.fingerprint(text) is
  'Identity of a table, its captured columns and its triggers; NULL if capture is incomplete.';
