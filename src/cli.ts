import { Command, CommanderError } from 'commander';
import { configCommand } from './commands/config.js';
import { healthCommand } from './commands/health.js';
import type { Invocation } from './commands/invocation.js';
import { migrateCommand } from './commands/migrate.js';
import { rebuildCommand } from './commands/rebuild.js';
import { refreshCommand } from './commands/refresh.js';
import { resetCommand } from './commands/reset.js';
import { startCommand } from './commands/start.js';
import { statusCommand } from './commands/status.js';
import { uninstallCommand } from './commands/uninstall.js';
import { verifyCommand } from './commands/verify.js';
import { describeFailure } from './db/sqlstate.js';
import { AppError } from './errors.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { longestLine, printableLines } from './printable.js';
import { readVersion } from './version.js';

const commands = [
  startCommand,
  refreshCommand,
  statusCommand,
  verifyCommand,
  rebuildCommand,
  migrateCommand,
  uninstallCommand,
  resetCommand,
  configCommand,
  healthCommand,
];

/** Runs the command that the arguments name; returns the exit code. */
export async function run(args: readonly string[], invocation: Invocation): Promise<ExitCode> {
  const program = await createProgram(invocation);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    return report(error, invocation);
  }
}

export async function createProgram(invocation: Invocation): Promise<Command> {
  const program = new Command('registry-stats')
    .description('Keeps the deposit statistics of APTrust Registry fresh.')
    .version(await readVersion());
  for (const command of commands) program.addCommand(command(invocation));
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => invocation.stdout.write(text),
      writeErr: (text) => invocation.stderr.write(printableLines(text, longestLine)),
    });
  }
  return program;
}

/** Prints one error for people: what is wrong, and what to do. */
function report(error: unknown, { stderr }: Invocation): ExitCode {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  const write = (text: string): boolean => stderr.write(`${printableLines(text)}\n`);
  if (error instanceof AppError) {
    // The message repeats the argument, which may be very long.
    const message = error.code === 'USAGE' ? error.message.slice(0, longestLine) : error.message;
    write(`registry-stats: ${error.code}: ${message}`);
    if (error.hint !== undefined) write(`  hint: ${error.hint}`);
    return error.exitCode;
  }
  write(`registry-stats: ${describeFailure(error)}`);
  if (error instanceof Error && error.stack !== undefined) write(error.stack);
  return exitCodes.failure;
}
