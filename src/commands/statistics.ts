import type { Context } from '../context.js';
import { describeFailure } from '../db/sqlstate.js';
import { logFormat } from '../log.js';
import type { Invocation } from './invocation.js';
import { renderTable } from '../terminal/table.js';

interface DepositRow {
  storage_option: string;
  file_count: string;
  object_count: string;
  gigabytes: string;
  monthly_cost: string | null;
}

/** Prints the figures once, and how to refresh them. Prints nothing to a JSON log. */
export async function printStatistics(context: Context, invocation: Invocation): Promise<void> {
  if (logFormat(context.config, invocation.stdout) === 'json' || context.signal.aborted) return;
  try {
    const deposits = await readDeposits(context);
    const counts = await readCounts(context);
    invocation.stdout.write(
      `\n${deposits}\n\n${counts}\n\n${refreshHint(context, invocation)}\n\n`,
    );
  } catch (error) {
    const reason = describeFailure(error);
    context.log.debug({ reason }, `no statistics to show: ${reason}`);
  }
}

async function readDeposits({ database }: Context): Promise<string> {
  const rows = await database.read<DepositRow & Record<string, unknown>>(
    `select
      storage_option,
      file_count,
      object_count,
      round(total_gb, 1) as gigabytes,
      round(monthly_cost, 2) as monthly_cost
    from public.current_deposit_stats
    where institution_id is null
    order by secondary_sort`,
  );
  return renderTable(
    ['All institutions', 'objects', 'files', 'GB', 'cost a month'],
    rows.map((row) => [
      row.storage_option,
      grouped(row.object_count),
      grouped(row.file_count),
      grouped(row.gigabytes),
      row.monthly_cost === null ? '' : grouped(row.monthly_cost),
    ]),
    [1, 2, 3, 4],
  );
}

async function readCounts({ database }: Context): Promise<string> {
  const rows = await database.read<{ subject: string; row_count: string }>(
    `select 'events' as subject, max(row_count) as row_count from public.premis_event_counts
    union all
    select 'objects', max(row_count) from public.intellectual_object_counts
    union all
    select 'files', max(row_count) from public.generic_file_counts
    union all
    select 'work items', max(row_count) from public.work_item_counts
    union all
    select 'months of history', count(distinct end_date) from public.historical_deposit_stats`,
  );
  const cells = rows.map(({ subject, row_count }) => [subject, grouped(row_count)]);
  return renderTable(['Counts', 'rows'], cells, [1]);
}

function refreshHint({ server, database }: Context, { pid }: Invocation): string {
  const { host, port, name, user } = database.options.connection;
  const lines = ['To refresh now:', `  kill -USR2 ${pid}`];
  if (server.isEmbedded) lines.push('', `Database: ${name} on ${host}:${port} as ${user}`);
  return lines.join('\n');
}

/** Groups digits in threes. The driver returns numbers as text, so they may exceed 2^53. */
function grouped(number: string): string {
  const [whole = '', fraction] = number.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}
