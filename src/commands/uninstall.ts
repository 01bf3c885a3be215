import { Command } from 'commander';
import { readSqlFiles } from '../schema/sql-files.js';
import { uninstall } from '../schema/uninstall.js';
import { progressTo, withContext, type Invocation } from './invocation.js';

/** Creates `registry-stats uninstall`: restores Registry's own views and functions. */
export function uninstallCommand(invocation: Invocation): Command {
  return new Command('uninstall')
    .description('go back to views over full scans: no triggers, no schema registry_stats')
    .action(() =>
      withContext(invocation, async ({ database, config, signal }) => {
        const { migrations } = await readSqlFiles();
        const did = await uninstall(database, {
          migrations,
          lockTimeoutMs: config.timeouts.lockMs,
          signal,
          onProgress: progressTo(invocation),
        });
        invocation.stdout.write(did ? 'uninstalled\n' : 'nothing to uninstall\n');
      }),
    );
}
