import { Command } from 'commander';
import type { Context } from '../context.js';
import { AppError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { hasStatisticsSchema, readSources, sources } from '../statistics/installation.js';
import { rebuildSource, withRetries } from '../statistics/rebuild.js';
import { readReplacedMonths } from '../statistics/replaced-months.js';
import { findDateFault } from './first-of-month.js';
import { progressTo, printJson, withContext, type Invocation } from './invocation.js';
import { confirmLoss } from '../terminal/confirm.js';
import { progressLineTo } from '../terminal/progress.js';

interface Options {
  since?: string;
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** Creates `registry-stats rebuild`: computes rollups, or months of the history, again. */
export function rebuildCommand(invocation: Invocation): Command {
  return new Command('rebuild')
    .description('compute rollups again from the tables, or months of the history')
    .argument('[what...]', `some of ${sources.join(', ')}, or history; default: all tables`)
    .option('--since <date>', 'for history: the first month to replace, as 2024-01-01')
    .option('--dry-run', 'for history: print what would be replaced, replace nothing')
    .option('--yes', 'for history: do not ask')
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
  readonly history: Planned | Replaced | null;
}

/** Of a dry run. */
interface Planned {
  readonly monthsToReplace: number;
  readonly rowsToDelete: number;
}

interface Replaced {
  readonly monthsReplaced: number;
  readonly rowsDeleted: number;
  readonly rowsInserted: number;
}

type Task = (invocation: Invocation, context: Context) => Promise<Result>;

function toTask(what: readonly string[], options: Options): Task {
  if (what.includes('history')) {
    if (what.length > 1) throw usage('history alone, or tables', what.join(', '));
    const { since } = options;
    if (since === undefined) throw usage('history with --since, like --since 2024-01-01', 'none');
    const fault = findDateFault(since, new Date());
    if (fault !== undefined) throw new AppError('USAGE', `--since: ${fault}`);
    return (invocation, context) => rebuildHistory(invocation, context, { ...options, since });
  }
  const ofHistory = (['since', 'dryRun', 'yes'] as const).find(
    (name) => options[name] !== undefined,
  );
  if (ofHistory !== undefined) {
    const option = ofHistory === 'dryRun' ? 'dry-run' : ofHistory;
    throw usage(`--${option} with history only`, what.join(', ') || 'no history');
  }
  return async (invocation, context) => {
    const declared = await readSources((text, values) => context.database.read(text, values));
    const unknown = what.filter((name) => !declared.includes(name));
    if (unknown[0] !== undefined) {
      const guess = didYouMean(unknown[0], [...declared, 'history']);
      throw usage(`${declared.join(', ')} or history`, `${unknown.join(', ')}${guess}`);
    }
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

/** Replaces the months from `since` on, if a person confirms the loss. */
async function rebuildHistory(
  invocation: Invocation,
  context: Context,
  { since, dryRun, yes }: Options & { since: string },
): Promise<Result> {
  const { database } = context;
  await database.assertWritable();
  const replaced = await readReplacedMonths((text, values) => database.read(text, values), since);
  const { months, rows, first, last } = replaced;
  if (dryRun === true) {
    return { tables: [], history: { monthsToReplace: months, rowsToDelete: rows } };
  }
  if (first !== null && last !== null) {
    const loss =
      `rebuild history replaces ${months} months, ${first} to ${last}, with ${rows} rows. ` +
      'They are computed again from the tables and prices of today; the old figures are lost.';
    await confirmLoss(loss, { isConfirmed: yes === true }, invocation);
  }
  progressTo(invocation)(`computing the history since ${since}: one scan`);
  return { tables: [], history: await replaceHistory(context, since) };
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

function usage(expected: string, found: string): AppError {
  return new AppError('USAGE', `expected ${expected}; found ${found}`);
}

function describe({ tables, history }: Result): string {
  if (history === null) {
    return tables.map(({ table, rows }) => `${table}: ${rows} rows counted`).join('\n');
  }
  if ('monthsToReplace' in history) {
    return [
      `months to replace: ${history.monthsToReplace}`,
      `rows to delete: ${history.rowsToDelete}`,
    ].join('\n');
  }
  const { monthsReplaced, rowsDeleted, rowsInserted } = history;
  return [
    `months replaced: ${monthsReplaced}`,
    `rows deleted: ${rowsDeleted}`,
    `rows inserted: ${rowsInserted}`,
  ].join('\n');
}
