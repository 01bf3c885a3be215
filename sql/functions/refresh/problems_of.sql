-- Returns what keeps the figures of a job from being exact, and what to do; NULL if nothing does.
create or replace function registry_stats.problems_of(job text)
returns text
language sql
stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(problem.name || ': ' || problem.reason, '; ' order by problem.name)
  from registry_stats.problems() as problem
  where problem.job = problems_of.job
$$;

comment on function registry_stats.problems_of(text) is
  'What keeps the figures of a job from being exact.';
