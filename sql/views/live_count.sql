-- The count rollup with pending deltas added: exact at the moment of reading.
create or replace view registry_stats.live_count as
select
  step.source,
  step.institution_id,
  step.facet,
  step.subfacet,
  sum(step.row_count)::bigint as row_count
from (
  select source, institution_id, facet, subfacet, row_count
  from registry_stats.count_rollup
  union all
  select source, institution_id, facet, subfacet, row_count
  from registry_stats.delta
) as step
group by step.source, step.institution_id, step.facet, step.subfacet
having sum(step.row_count) <> 0;

comment on view registry_stats.live_count is 'registry_stats.count_rollup, pending deltas included.';
