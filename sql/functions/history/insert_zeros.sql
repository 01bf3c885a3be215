-- Adds the zero rows for public.populate_empty_deposit_stats. Returns 1 = added, 0 = complete
-- already, or another session is running, which adds them.
create or replace function registry_stats.insert_zeros()
returns integer
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if not registry_stats.try_lock() then
    return 0;
  end if;
  return (registry_stats.insert_zero_rows() > 0)::int;
end
$$;

comment on function registry_stats.insert_zeros() is
  'Adds the zero rows of the history for Registry''s function: 1 = added, 0 = not.';
