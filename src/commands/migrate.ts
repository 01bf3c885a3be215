import { Command, InvalidArgumentError, Option } from 'commander';
import type { Context } from '../context.js';
import type { Query } from '../db/transaction.js';
import { checkMigration } from '../schema/check-migration.js';
import { readIntendedChanges } from '../schema/intended-changes.js';
import { migrate, type MigrateOptions } from '../schema/migrate.js';
import { readPlan, type Plan } from '../schema/plan.js';
import { printPending } from '../schema/print.js';
import { readSqlFiles, type SqlFiles } from '../schema/sql-files.js';
import { assertSampleDataAllowed, defaultFiles, loadSampleData } from '../dev/sample-data.js';
import { printJson, progressTo, withContext, type Invocation } from './invocation.js';
import { progressLineTo } from '../terminal/progress.js';
import { renderTable } from '../terminal/table.js';

interface Options {
  status?: boolean;
  dryRun?: boolean;
  print?: boolean;
  json?: boolean;
  sampleData?: number | true;
}

/** Creates `registry-stats migrate`: updates the database, or lists the pending steps. */
export function migrateCommand(invocation: Invocation): Command {
  return new Command('migrate')
    .description('update the database: run each pending file once')
    .addOption(
      new Option(
        '--status',
        'list applied, pending, incomplete and unrecognised migrations',
      ).conflicts(['dryRun', 'print', 'sampleData']),
    )
    .addOption(
      new Option('--dry-run', 'list the pending files, run nothing').conflicts([
        'print',
        'sampleData',
      ]),
    )
    .addOption(
      new Option('--print', 'print the pending files as one SQL script for psql').conflicts([
        'json',
        'sampleData',
      ]),
    )
    .option(
      '--sample-data [files]',
      'then load sample data into an empty database; development only',
      toCount,
    )
    .option('--json', 'for programs')
    .action(async (options: Options) => {
      await withContext(invocation, (context) => runMigrate(invocation, context, options), {
        mayCreateDatabase: !isReading(options),
      });
    });
}

function isReading({ status, dryRun, print }: Options): boolean {
  return status === true || dryRun === true || print === true;
}

export function toCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 999999999.');
  }
  return Number(text);
}

async function runMigrate(
  invocation: Invocation,
  context: Context,
  options: Options,
): Promise<void> {
  const { stdout } = invocation;
  const files = await readSqlFiles();
  if (isReading(options)) {
    await showPlan(invocation, context, { files, ...options });
    return;
  }
  if (options.sampleData !== undefined) assertSampleDataAllowed(context.config);
  const applied = await migrate(context.database, migrateOptions(context, files, invocation));
  if (options.sampleData !== undefined) {
    const size = options.sampleData === true ? defaultFiles : options.sampleData;
    const isLoaded = await loadSampleData(context, size, {
      onProgress: progressTo(invocation),
      onRows: progressLineTo(invocation),
    });
    if (isLoaded) applied.push('sample data');
  }
  if (options.json === true) printJson(invocation, { applied });
  else stdout.write(applied.length === 0 ? 'nothing to do\n' : `applied: ${applied.join(', ')}\n`);
}

/** Refuses what `migrate` refuses; a script may be printed by another role, and later. */
async function showPlan(
  invocation: Invocation,
  { database, config }: Context,
  { files, ...options }: Options & { readonly files: SqlFiles },
): Promise<void> {
  const { stdout } = invocation;
  const query: Query = (text, values) => database.read(text, values);
  if (options.print === true) {
    stdout.write(await printPending(await readPlan(query, files), files));
    return;
  }
  const plan = await checkMigration(database, { files, allowLaunchSchema: !config.isLive });
  const changes = plan.needsLaunchSchema ? [] : await readIntendedChanges(query);
  if (options.json === true)
    printJson(invocation, { ...summaryOf(plan), intendedChanges: changes });
  else if (options.dryRun === true) stdout.write(describePending(plan) + describeChanges(changes));
  else stdout.write(describeStatus(plan));
}

export function migrateOptions(
  context: Context,
  files: SqlFiles,
  invocation: Invocation,
): MigrateOptions {
  return {
    files,
    allowLaunchSchema: !context.config.isLive,
    lockTimeoutMs: context.config.timeouts.lockMs,
    signal: context.signal,
    onProgress: progressTo(invocation),
    onScan: progressLineTo(invocation),
  };
}

function describeChanges(changes: readonly string[]): string {
  if (changes.length === 0) return '';
  return `rows that will change, on purpose:\n  ${changes.join('\n  ')}\n`;
}

function summaryOf(plan: Plan): Record<string, unknown> {
  return {
    needsLaunchSchema: plan.needsLaunchSchema,
    migrations: plan.migrations.map(({ file, state, finishedAt }) => ({
      version: file.name,
      state,
      finishedAt: finishedAt?.toISOString() ?? null,
    })),
    unknown: plan.unknown,
    functionsChanged: plan.functionsChanged,
    replacedFunctions: plan.replacedFunctions,
    needsActivation: plan.needsActivation,
  };
}

function describeStatus(plan: Plan): string {
  const rows = [
    ...plan.migrations.map(({ file, state, finishedAt }) => [
      file.name,
      state,
      finishedAt?.toISOString() ?? '',
    ]),
    ...plan.unknown.map((version) => [version, 'unrecognised', '']),
    ...plan.replacedFunctions.map((name) => [`public.${name}`, 'not ours', '']),
    ...(plan.functionsChanged ? [['functions', 'pending', '']] : []),
    ...(plan.needsActivation ? [['activation', 'pending', '']] : []),
  ];
  const note = plan.needsLaunchSchema ? 'The database is empty: launch schema pending.\n' : '';
  return `${note}${renderTable(['version', 'state', 'finished'], rows)}\n`;
}

function describePending(plan: Plan): string {
  const pending = [
    ...(plan.needsLaunchSchema ? ['sql/schema (new database)'] : []),
    ...plan.migrations
      .filter(({ state }) => state !== 'applied')
      .map(({ file, state }) => (state === 'incomplete' ? `${file.path} (again)` : file.path)),
    ...(plan.functionsChanged ? ['sql/functions'] : []),
    ...(plan.needsActivation ? ['activation: capture triggers, one scan a table, views'] : []),
  ];
  return pending.length === 0 ? 'nothing would run\n' : `would run:\n  ${pending.join('\n  ')}\n`;
}
