import { Command } from 'commander';
import { loadConfig } from '../config/load-config.js';
import { settingKeys, settingOf } from '../config/settings.js';
import { printJson, progressTo, type Invocation } from './invocation.js';
import { renderTable } from '../terminal/table.js';

export function configCommand(invocation: Invocation): Command {
  return new Command('config')
    .description('print the effective settings and the source of each; secrets are masked')
    .option('--json', 'for programs')
    .addHelpText('after', explainSettings)
    .action(async (options: { json?: boolean }) => {
      const { env, cwd, signals, stdout } = invocation;
      const { config, settings, notes } = await loadConfig({ env, cwd, signal: signals.stop });
      for (const note of notes) progressTo(invocation)(note);
      if (options.json === true) {
        const typed = settings.map(({ typed: value, ...setting }) => ({ ...setting, value }));
        printJson(invocation, { settings: typed });
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

/** For those who have only the installed package, which has no docs. */
function explainSettings(): string {
  const paragraphs = settingKeys.map((key) => {
    const { about, default: byDefault, defaultNote } = settingOf(key);
    return `${key}\n  ${about}\n  Default: ${byDefault ?? defaultNote ?? 'none'}`;
  });
  const sources =
    'Settings come from the environment, Parameter Store, .env.<APT_ENV> and .env of the working ' +
    'directory.\nThe first one that has a setting wins.';
  return ['\nSettings:', sources, ...paragraphs].join('\n\n');
}
