-- Returns false if a crash emptied an unlogged captured table since its rebuild, and the witness
-- with it. A standby has no unlogged rows, and refuses statements that name an unlogged table.
create or replace function registry_stats.has_witness(source text)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
  if pg_is_in_recovery() then
    return false;
  end if;

  return exists (
    select from registry_stats.crash_witness as witness where witness.source = has_witness.source
  );
end
$$;

comment on function registry_stats.has_witness(text) is
  'False if a crash emptied an unlogged captured table since its rebuild.';
