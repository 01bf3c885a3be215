import { Command } from 'commander';
import type { Context } from '../context.js';
import { describeFailure } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { jobNames } from '../jobs/job.js';
import { rebuildSource } from '../statistics/rebuild.js';
import { recordVerification, type Comparison } from '../statistics/verify.js';
import { describeReplica, verifyFrom } from '../statistics/verify-on-replica.js';
import { printJson, progressTo, withContext, type Invocation } from './invocation.js';
import { runJobs } from './run-jobs.js';
import { comparisonLineTo, progressLineTo } from '../terminal/progress.js';
import { renderTable } from '../terminal/table.js';

interface Options {
  repair?: boolean;
  primary?: boolean;
  json?: boolean;
}

/** Creates `registry-stats verify`: compares the figures with the tables. */
export function verifyCommand(invocation: Invocation): Command {
  return new Command('verify')
    .description('compare the statistics with the tables; exit code 11 and a list if they differ')
    .option('--repair', 'rebuild what differs, refresh, and verify again; all on the primary')
    .option('--primary', 'read from the primary, even if VERIFY_DB_HOST is set')
    .option('--json', 'for programs')
    .action((options: Options) =>
      withContext(invocation, async (context) => {
        const found = await runVerify(invocation, context, options);
        let left = found;
        if (found.count > 0 && options.repair === true) {
          await repair(invocation, context, found);
          left = await runVerify(invocation, context, options);
        }
        if (options.json === true) {
          const repaired = options.repair === true ? found.differences : null;
          printJson(invocation, { count: left.count, differences: left.differences, repaired });
        }
        if (left.count === 0) return;
        throw new AppError('DRIFT_FOUND', `${left.count} figures differ from the tables`, {
          hint: 'registry-stats verify --repair',
        });
      }),
    );
}

async function runVerify(
  invocation: Invocation,
  context: Context,
  options: Options,
): Promise<Comparison> {
  const { database, signal } = context;
  const isOnPrimary = options.repair === true || options.primary === true;
  const comparison = await verifyFrom(
    { database, replica: isOnPrimary ? undefined : context.replica },
    { signal, onProgress: comparisonLineTo(invocation) },
  );
  const report = progressTo(invocation);
  if (comparison.replica !== undefined) report(`verified ${describeReplica(comparison.replica)}`);
  await recordVerification(database, comparison.count, (error) => {
    report(`not recorded: ${describeFailure(error)}`);
  });
  if (options.json !== true) invocation.stdout.write(describe(comparison));
  return comparison;
}

async function repair(
  invocation: Invocation,
  context: Context,
  { sources }: Comparison,
): Promise<void> {
  for (const source of sources) {
    progressTo(invocation)(`rebuilding ${source}`);
    await rebuildSource(context.database, source, {
      statementTimeoutMs: 0,
      lockTimeoutMs: context.config.timeouts.lockMs,
      signal: context.signal,
      onProgress: progressLineTo(invocation),
    });
  }
  await runJobs(context, jobNames);
}

function describe({ count, differences }: Comparison): string {
  if (count === 0) return 'Verified: every current figure matches the tables\n';
  const rows = differences.map(({ view, key, expected, found }) => [
    view,
    key,
    expected ?? 'nothing',
    found ?? 'nothing',
  ]);
  const more = count > differences.length ? `and ${count - differences.length} more\n` : '';
  return `${renderTable(['view', 'key', 'expected', 'found'], rows)}\n${more}`;
}
