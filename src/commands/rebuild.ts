import { Command } from 'commander';
import type { Context } from '../context.js';
import { AppError } from '../errors.js';
import { hasStatisticsSchema, readSources, sources } from '../statistics/installation.js';
import { rebuildSource, withRetries } from '../statistics/rebuild.js';
import { progressTo, printJson, withContext, type Invocation } from './invocation.js';
import { progressLineTo } from '../terminal/progress.js';

interface Options {
  since?: string;
  json?: boolean;
}

/** Creates `registry-stats rebuild`: computes rollups, or months of the history, again. */
export function rebuildCommand(invocation: Invocation): Command {
  return new Command('rebuild')
    .description('compute rollups again from the tables, or months of the history')
    .argument('[what...]', `some of ${sources.join(', ')}, or history; default: all tables`)
    .option('--since <date>', 'for history: the first month to replace, as 2024-01-01')
    .option('--json', 'for programs')
    .action(async (what: string[], options: Options) => {
      const task = toTask(what, options);
      await withContext(invocation, async (context) => {
        await assertInstalled(context);
        const result = await task(invocation, context);
        if (options.json === true) printJson(invocation, { ...result });
        else invocation.stdout.write(`${describe(result)}\n`);
      });
    });
}

/** What was computed again: tables with their rows, or months of the history. */
interface Result {
  readonly tables: readonly { readonly table: string; readonly rows: number }[];
  readonly history: Replaced | null;
}

interface Replaced {
  readonly monthsReplaced: number;
  readonly rowsDeleted: number;
  readonly rowsInserted: number;
}

type Task = (invocation: Invocation, context: Context) => Promise<Result>;

function toTask(what: readonly string[], { since }: Options): Task {
  if (what.includes('history')) {
    if (what.length > 1) throw usage('history alone, or tables', what.join(', '));
    if (since === undefined || !isDate(since)) throw usage('--since 2024-01-01', since ?? 'none');
    return async (invocation, context) => {
      progressTo(invocation)(`computing the history since ${since}: one scan`);
      return { tables: [], history: await replaceHistory(context, since) };
    };
  }
  if (since !== undefined)
    throw usage('--since with history only', what.join(', ') || 'no history');
  return async (invocation, context) => {
    const declared = await readSources((text, values) => context.database.read(text, values));
    const unknown = what.filter((name) => !declared.includes(name));
    if (unknown.length > 0) throw usage(`${declared.join(', ')} or history`, unknown.join(', '));
    const chosen = what.length === 0 ? declared : declared.filter((name) => what.includes(name));
    const tables: { table: string; rows: number }[] = [];
    for (const table of chosen) {
      progressTo(invocation)(`rebuilding ${table}`);
      const rows = await rebuildSource(context.database, table, {
        statementTimeoutMs: 0,
        lockTimeoutMs: context.config.timeouts.lockMs,
        signal: context.signal,
        onProgress: progressLineTo(invocation),
      });
      tables.push({ table, rows });
    }
    return { tables, history: null };
  };
}

async function replaceHistory(context: Context, since: string): Promise<Replaced> {
  const options = {
    statementTimeoutMs: context.config.timeouts.historyMs,
    lockTimeoutMs: context.config.timeouts.lockMs,
    signal: context.signal,
  };
  const [row] = await withRetries(options, () =>
    context.database.write(options, ({ query }) =>
      query<{ months: number; deleted: string; inserted: string }>(
        `select months_replaced as months, rows_deleted as deleted, rows_inserted as inserted
        from registry_stats.replace_history($1)`,
        [since],
      ),
    ),
  );
  return {
    monthsReplaced: row?.months ?? 0,
    rowsDeleted: Number(row?.deleted),
    rowsInserted: Number(row?.inserted),
  };
}

async function assertInstalled({ database }: Context): Promise<void> {
  if (await hasStatisticsSchema((text, values) => database.read(text, values))) return;
  throw new AppError('DATABASE_NOT_MIGRATED', 'expected incremental statistics, found none', {
    hint: 'run `registry-stats migrate`',
  });
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

function usage(expected: string, found: string): AppError {
  return new AppError('USAGE', `expected ${expected}; found ${found}`);
}

function describe({ tables, history }: Result): string {
  if (history === null) {
    return tables.map(({ table, rows }) => `${table}: ${rows} rows counted`).join('\n');
  }
  const { monthsReplaced, rowsDeleted, rowsInserted } = history;
  return [
    `months replaced: ${monthsReplaced}`,
    `rows deleted: ${rowsDeleted}`,
    `rows inserted: ${rowsInserted}`,
  ].join('\n');
}
