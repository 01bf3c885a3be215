import { Command, CommanderError } from 'commander';
import type { Invocation } from './commands/invocation.js';
import { describeFailure } from './db/sqlstate.js';
import { AppError } from './errors.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { longestLine, printableLines } from './printable.js';
import { nameProgram } from './program-name.js';
import { readVersion } from './version.js';

/** Loaded by name: the modules of all commands take longer to load than a health check. */
const commands: ReadonlyMap<string, () => Promise<(invocation: Invocation) => Command>> = new Map([
  ['start', async () => (await import('./commands/start.js')).startCommand],
  ['refresh', async () => (await import('./commands/refresh.js')).refreshCommand],
  ['status', async () => (await import('./commands/status.js')).statusCommand],
  ['verify', async () => (await import('./commands/verify.js')).verifyCommand],
  ['rebuild', async () => (await import('./commands/rebuild.js')).rebuildCommand],
  ['migrate', async () => (await import('./commands/migrate.js')).migrateCommand],
  ['uninstall', async () => (await import('./commands/uninstall.js')).uninstallCommand],
  ['reset', async () => (await import('./commands/reset.js')).resetCommand],
  ['config', async () => (await import('./commands/config.js')).configCommand],
  ['health', async () => (await import('./commands/health.js')).healthCommand],
]);

/** Runs the command that the arguments name; returns the exit code. */
export async function run(args: readonly string[], invocation: Invocation): Promise<ExitCode> {
  const program = await createProgram(invocation, args[0]);
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

/** Creates the program with this command; with all, for help and suggestions, if there is none. */
export async function createProgram(invocation: Invocation, name = ''): Promise<Command> {
  const program = new Command('registry-stats')
    .description('Keeps the deposit statistics of APTrust Registry fresh.')
    .version(await readVersion());
  const named = commands.get(name);
  for (const load of named === undefined ? commands.values() : [named]) {
    const create = await load();
    program.addCommand(create(invocation));
  }
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
