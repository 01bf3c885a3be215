-- Rows of Registry's own statistics that our views show differently on purpose, in words.
select pg_catalog.format(
  'current_deposit_stats, historical_deposit_stats: rows of %L: institutions %s have one name; ' ||
  'their figures were mixed, and each gets its own',
  name, pg_catalog.string_agg(id::text, ', ' order by id)
) as change
from public.institutions
group by name
having count(*) > 1
union all
select pg_catalog.format(
  'current_deposit_stats: %s, %s: total_bytes is NULL, as no file there has a size; it will be 0',
  coalesce(institution_name, 'institution ' || coalesce(institution_id::text, 'NULL')),
  coalesce(storage_option, 'Total')
)
from public.current_deposit_stats
where total_bytes is null
union all
select pg_catalog.format(
  'current_deposit_stats: files of institution %s, which does not exist: they were under another ' ||
  'name, and get a row of their own without a name',
  institution_id
)
from public.generic_file_counts
where institution_id is not null
  and state = 'A'
  and not exists (select from public.institutions where id = institution_id)
order by 1
limit 1000
