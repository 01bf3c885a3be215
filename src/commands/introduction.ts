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

/** The view has no cost of a total, because prices differ: it is the sum, if all have a price. */
async function readDeposits(database: Reading): Promise<string> {
  const rows = await database.read<DepositRow>(
    `select
      storage_option,
      object_count::float8 as objects,
      file_count::float8 as files,
      (total_bytes / 1073741824)::float8 as gibibytes,
      case
        when storage_option <> 'Total' then monthly_cost
        when bool_and(monthly_cost is not null) filter (where storage_option <> 'Total') over ()
          then sum(monthly_cost) filter (where storage_option <> 'Total') over ()
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
  const [row] = await database.read<Readonly<Record<string, number>>>(
    `select
      (select max(row_count) from public.premis_event_counts)::float8 as events,
      (select max(row_count) from public.intellectual_object_counts)::float8 as objects,
      (select max(row_count) from public.generic_file_counts)::float8 as files,
      (select max(row_count) from public.work_item_counts)::float8 as "work items",
      (
        select count(distinct end_date) from public.historical_deposit_stats
      )::float8 as "months of history"`,
  );
  const counts = Object.entries(row ?? {}).map(([name, count]) => `${formatNumber(count)} ${name}`);
  return `Counted, with deleted ones: ${counts.join(', ')}.`;
}
