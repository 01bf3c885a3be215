import type { Context } from '../context.js';
import { describeFailure } from '../db/sqlstate.js';
import { formatDollars, formatNumber } from '../http/page/format.js';
import { logFormat } from '../log.js';
import { renderTable } from '../terminal/table.js';
import { widthOf, wrap } from '../terminal/width.js';
import type { Invocation } from './invocation.js';

/**
 * Prints, after the first run, the figures, and then the page's URL, how to refresh and how to stop.
 * Prints nothing to a JSON log.
 */
export async function printIntroduction(
  context: Context,
  { stdout, pid }: Pick<Invocation, 'stdout' | 'pid'>,
  pageUrl: string,
): Promise<void> {
  if (logFormat(context.config, stdout) === 'json' || context.signal.aborted) return;
  const figures = await readFigures(context.database).catch((error: unknown) => {
    const reason = describeFailure(error);
    context.log.debug({ reason }, `no figures to show: ${reason}`);
    return [];
  });
  const page = pageUrl.endsWith('/') ? pageUrl : `${pageUrl}/`;
  const width = stdout.isTTY ? widthOf(stdout) : Infinity;
  const lines = [
    `Status page:  ${page}`,
    `Refresh now:  kill -USR2 ${pid}`,
    'Stop:         Ctrl-C',
  ];
  stdout.write(`\n${[...figures, ...lines].map((line) => wrap(line, width)).join('\n')}\n\n`);
}

type Reading = Pick<Context['database'], 'read'>;

async function readFigures(database: Reading): Promise<string[]> {
  const deposits = await readDeposits(database);
  return [...deposits.split('\n'), '', await readCounts(database), ''];
}

interface DepositRow extends Record<string, unknown> {
  readonly storage_option: string;
  readonly objects: number;
  readonly files: number;
  readonly gibibytes: number;
  readonly cost: number | null;
}

const oneDigit = { minimumFractionDigits: 1, maximumFractionDigits: 1 };

/** The view has no cost of a total, because prices differ: it is the sum over the options. */
async function readDeposits(database: Reading): Promise<string> {
  const rows = await database.read<DepositRow>(
    `select
      storage_option,
      object_count::float8 as objects,
      file_count::float8 as files,
      (total_bytes / 1073741824)::float8 as gibibytes,
      case storage_option
        when 'Total' then sum(monthly_cost) filter (where storage_option <> 'Total') over ()
        else monthly_cost
      end::float8 as cost
    from public.current_deposit_stats
    where institution_id is null
    order by secondary_sort`,
  );
  return renderTable(
    ['Deposits', 'objects', 'files', 'GiB', 'cost a month'],
    rows.map((row) => [
      row.storage_option,
      formatNumber(row.objects),
      formatNumber(row.files),
      row.gibibytes.toLocaleString('en-US', oneDigit),
      row.cost === null ? 'no price' : formatDollars(row.cost),
    ]),
    { rightAligned: [1, 2, 3, 4] },
  );
}

async function readCounts(database: Reading): Promise<string> {
  const rows = await database.read<{ subject: string; rows: number }>(
    `select 'events' as subject, coalesce(max(row_count), 0)::float8 as rows from public.premis_event_counts
    union all
    select 'objects', coalesce(max(row_count), 0)::float8 from public.intellectual_object_counts
    union all
    select 'files', coalesce(max(row_count), 0)::float8 from public.generic_file_counts
    union all
    select 'work items', coalesce(max(row_count), 0)::float8 from public.work_item_counts
    union all
    select 'months of history', count(distinct end_date)::float8
    from public.historical_deposit_stats`,
  );
  const counts = rows.map(({ subject, rows: count }) => `${formatNumber(count)} ${subject}`);
  return `Rows counted, also deleted ones: ${counts.join(', ')}.`;
}
