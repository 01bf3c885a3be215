import { Command } from 'commander';
import { preflight } from '../statistics/preflight.js';
import { AppError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { isJobName, jobNames, type JobName } from '../jobs/job.js';
import { describeOutcome, describeRun, type RunReport } from '../jobs/outcome.js';
import { printable } from '../printable.js';
import { printJson, withContext, type Invocation } from './invocation.js';
import { runJobs } from './run-jobs.js';

interface Options {
  json?: boolean;
}

/** Creates `registry-stats refresh`: runs jobs now, in this process. */
export function refreshCommand(invocation: Invocation): Command {
  return new Command('refresh')
    .description('run jobs now; a job without changes is skipped')
    .argument('[job...]', `some of ${jobNames.join(', ')}; default: all`)
    .option('--json', 'for programs')
    .action(async (names: string[], options: Options) => {
      await runRefresh(invocation, toJobs(names), options);
    });
}

function toJobs(names: readonly string[]): readonly JobName[] {
  const unknown = names.filter((name) => !isJobName(name));
  if (unknown[0] !== undefined) {
    const found = `${unknown.join(', ')}${didYouMean(unknown[0], jobNames)}`;
    throw new AppError('USAGE', `expected jobs among ${jobNames.join(', ')}; found ${found}`);
  }
  return names.length === 0 ? jobNames : jobNames.filter((name) => names.includes(name));
}

async function runRefresh(
  invocation: Invocation,
  jobs: readonly JobName[],
  options: Options,
): Promise<void> {
  const reports = await withContext(invocation, async (context) => {
    await preflight(context.database);
    context.events.observe((event) => {
      if (event.type === 'run-finished' && options.json !== true) {
        invocation.stdout.write(`${printable(describeRun(event.report))}\n`);
      }
    });
    return runJobs(context, jobs);
  });
  if (options.json === true) printJson(invocation, { runs: reports.map(toJson) });
  const unsuccessful = reports.filter(({ result }) =>
    ['failed', 'cancelled'].includes(result.outcome),
  );
  if (unsuccessful.length === 0 && reports.length === jobs.length) return;
  const names = unsuccessful.map(({ job, result }) => `${job} ${result.outcome}`);
  throw new AppError('JOB_FAILED', names.join(', ') || 'stopped before the first job');
}

function toJson({ job, trigger, result, startedAt, durationMs }: RunReport): unknown {
  return {
    job,
    trigger,
    outcome: result.outcome,
    reason: describeOutcome(result),
    skipReason: result.outcome === 'skipped' ? result.reason : null,
    changes: result.outcome === 'refreshed' ? (result.changes ?? null) : null,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(durationMs),
  };
}
