import { Command } from 'commander';
import { loadConfig } from '../config/load-config.js';
import { printJson, type Invocation } from './invocation.js';
import { renderTable } from '../terminal/table.js';

export function configCommand(invocation: Invocation): Command {
  return new Command('config')
    .description('print the effective settings and the source of each; secrets are masked')
    .option('--json', 'for programs')
    .action(async (options: { json?: boolean }) => {
      const { env, cwd, signals, stdout, stderr } = invocation;
      const { config, settings, warnings } = await loadConfig({ env, cwd, signal: signals.stop });
      for (const warning of warnings) stderr.write(`${warning}\n`);
      if (options.json === true) {
        printJson(invocation, settings);
        return;
      }
      const rows = settings.map(({ key, value, source }) => [key, value, source]);
      stdout.write(`${renderTable(['setting', 'value', 'source'], rows)}\n`);
      if (config.db.host === undefined) {
        stdout.write(
          '\nWithout DB_HOST, registry-stats starts its own PostgreSQL on a free port.\n',
        );
      }
    });
}
