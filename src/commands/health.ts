import { Command } from 'commander';
import { loadStatusAddress } from '../config/load-config.js';
import { AppError } from '../errors.js';
import { longestLine, printable, printableLines } from '../printable.js';
import type { Invocation } from './invocation.js';
import { queryDaemon } from './query-daemon.js';

/** Creates `registry-stats health`, for container checks. */
export function healthCommand(invocation: Invocation): Command {
  return new Command('health')
    .description('check the running daemon: exit code 0 if it is live, 9 if not')
    .option('--ready', 'also expect the database to respond and the last runs to be good')
    .action(async (options: { ready?: boolean }) => {
      const { env, cwd, stdout } = invocation;
      const address = await loadStatusAddress({ env, cwd });
      const path = options.ready === true ? '/ready' : '/live';
      const { status, body } = await queryDaemon(address, path);
      const { status: word, reason } = body;
      if (typeof word !== 'string') {
        throw new AppError('UNHEALTHY', 'expected a running daemon, found another program');
      }
      if (status !== 200) {
        const why = typeof reason === 'string' ? reason : 'no reason';
        const found = printableLines(`the daemon is ${word}: ${why}`, longestLine);
        throw new AppError('UNHEALTHY', found);
      }
      stdout.write(`${printable(word)}\n`);
    });
}
