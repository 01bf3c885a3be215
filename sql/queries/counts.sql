-- Rows per subject and kind; a NULL kind is the total of the subject. The NULLs of the cube mean "all"; next
-- to such a row there may be one of a real NULL, hence max().
select subject, kind, max(row_count)::float8 as rows
from (
  select 1 as place, 'events' as subject, event_type as kind, row_count
  from public.premis_event_counts
  where institution_id is null
    and outcome is null
  union all
  select 2, 'objects', state, row_count
  from public.intellectual_object_counts
  where institution_id is null
  union all
  select 3, 'files', state, row_count
  from public.generic_file_counts
  where institution_id is null
  union all
  select 4, 'work items', action, row_count
  from public.work_item_counts
  where institution_id is null
) as counted
group by place, subject, kind
order by place, kind nulls first
limit 200
