import { Command } from 'commander';
import { loadStatusAddress } from '../config/load-config.js';
import { AppError } from '../errors.js';
import { printable } from '../printable.js';
import type { Invocation } from './invocation.js';
import { askDaemon } from './ask-daemon.js';

/** `registry-stats health`: asks the running daemon; for container checks. */
export function healthCommand(invocation: Invocation): Command {
  return new Command('health')
    .description('ask the running daemon: exit code 0 if it lives, 9 if not')
    .option('--ready', 'also expect the database to answer and the last runs to be good')
    .action(async (options: { ready?: boolean }) => {
      const { env, cwd, stdout } = invocation;
      const address = await loadStatusAddress({ env, cwd });
      const path = options.ready === true ? '/ready' : '/live';
      const { status, body } = await askDaemon(address, path);
      const { status: word, reason } = body as { status?: string; reason?: string };
      if (status !== 200) {
        throw new AppError(
          'UNHEALTHY',
          `the daemon is ${word ?? status}: ${reason ?? 'no reason'}`,
        );
      }
      stdout.write(`${printable(word ?? 'ok')}\n`);
    });
}
