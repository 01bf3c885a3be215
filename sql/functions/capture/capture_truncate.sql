-- Appends a mark that a table was truncated. The next fold makes the table untrusted. Trigger
-- registry_stats_truncate on every captured table and its partitions, after the statement. The
-- argument is the table, because a partition has its own name.
create or replace function registry_stats.capture_truncate()
returns trigger
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if (tg_table_schema <> 'public' or tg_table_name <> tg_argv[0])
    and not registry_stats.is_counted(tg_argv[0], tg_relid)
  then
    return null;
  end if;

  perform registry_stats.mark(tg_argv[0], 'the table was truncated');
  return null;
end
$$;

comment on function registry_stats.capture_truncate() is
  'Appends a mark to registry_stats.delta that a table was truncated.';
