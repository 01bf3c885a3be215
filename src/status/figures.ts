import type { Database } from '../db/database.js';
import type { CountFigure, DepositFigure, Figures } from './model.js';
import { readHistory } from './deposit-history.js';

/** The figures themselves, for people to look at: of a bounded size, whatever is stored. */
export async function readFigures(database: Pick<Database, 'read'>): Promise<Figures> {
  return {
    version: 1,
    history: await readHistory(database),
    counts: await database.read<CountRow>(selectCounts),
    deposits: {
      byStorageOption: await database.read<DepositRow>(selectByStorageOption),
      byInstitution: await database.read<DepositRow>(selectByInstitution),
    },
  };
}

type CountRow = CountFigure & Record<string, unknown>;
type DepositRow = DepositFigure & Record<string, unknown>;

// The cube's own NULLs mean "all"; a row of a real NULL may stand beside them, hence max().
const selectCounts = `
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
  limit 200`;

const depositColumns = `
    object_count::float8 as objects,
    file_count::float8 as files,
    total_bytes::float8 as bytes,
    monthly_cost::float8 as "monthlyCost"`;

const selectByStorageOption = `
  select storage_option as name, ${depositColumns}
  from public.current_deposit_stats
  where institution_id is null
    and storage_option is not null
  order by secondary_sort, storage_option
  limit 50`;

const selectByInstitution = `
  select institution_name as name, ${depositColumns}
  from public.current_deposit_stats
  where institution_id is not null
    and institution_name is not null
    and storage_option = 'Total'
  order by total_bytes desc, institution_id
  limit 100`;
