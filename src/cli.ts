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
import { nameProgram } from './program-name.js';
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
    const command = program.commands.find((candidate) => candidate.name() === args[0]) ?? program;
    if (!(error instanceof CommanderError)) return report(error, command, invocation);
    if (error.exitCode === 0) return exitCodes.ok;
    // Without arguments, the help was printed, which is enough.
    return args.length === 0 ? exitCodes.usage : report(toUsageError(error), command, invocation);
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
      // `report` prints the error.
      outputError: () => undefined,
    });
  }
  return program;
}

/** Converts `error: …` and `(Did you mean …?)` of the parser to our form of a message. */
function toUsageError({ code, message }: CommanderError): AppError {
  if (code === 'commander.help') return new AppError('USAGE', 'expected a command listed above');
  const text = message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/, '; did you mean $1?');
  return new AppError('USAGE', text);
}

/** Prints one error for people: what is wrong, and what to do. */
function report(error: unknown, command: Command, { stderr, program }: Invocation): ExitCode {
  const write = (text: string): boolean =>
    stderr.write(`${printableLines(nameProgram(text, program))}\n`);
  if (error instanceof AppError) {
    const isUsage = error.code === 'USAGE';
    // The message repeats the argument, which may be very long.
    const message = isUsage ? error.message.slice(0, longestLine) : error.message;
    const hint = error.hint ?? (isUsage ? helpHint(command) : undefined);
    write(`registry-stats: ${error.code}: ${message}`);
    if (hint !== undefined) write(`  hint: ${hint}`);
    return error.exitCode;
  }
  write(`registry-stats: ${describeFailure(error)}`);
  if (error instanceof Error && error.stack !== undefined) write(error.stack);
  return exitCodes.failure;
}

function helpHint(command: Command): string {
  const name = command.parent === null ? '' : `${command.name()} `;
  return `see \`registry-stats ${name}--help\``;
}
