import { Command } from 'commander';
import type { Context } from '../context.js';
import { readSqlFiles } from '../schema/sql-files.js';
import { uninstall } from '../schema/uninstall.js';
import { describeUninstall } from '../schema/uninstall-plan.js';
import { confirmLoss } from '../terminal/confirm.js';
import { progressTo, withContext, type Invocation } from './invocation.js';

interface Options {
  dryRun?: boolean;
  yes?: boolean;
}

/** Creates `registry-stats uninstall`: restores Registry's own views and functions. */
export function uninstallCommand(invocation: Invocation): Command {
  return new Command('uninstall')
    .description('go back to views over full scans: no triggers, no schema registry_stats')
    .option('--dry-run', 'print what would be dropped and restored, change nothing')
    .option('--yes', 'do not ask')
    .action((options: Options) =>
      withContext(invocation, (context) => runUninstall(invocation, context, options)),
    );
}

async function runUninstall(
  invocation: Invocation,
  { database, config, signal }: Context,
  options: Options,
): Promise<void> {
  const { stdout } = invocation;
  await database.assertWritable();
  const loss = await describeUninstall(database);
  if (loss === undefined || options.dryRun === true) {
    stdout.write(`${loss ?? 'nothing to uninstall'}\n`);
    return;
  }
  await confirmLoss(loss, { isConfirmed: options.yes === true }, invocation);
  const { migrations } = await readSqlFiles();
  const did = await uninstall(database, {
    migrations,
    lockTimeoutMs: config.timeouts.lockMs,
    signal,
    onProgress: progressTo(invocation),
  });
  stdout.write(did ? 'uninstalled\n' : 'nothing to uninstall\n');
}
