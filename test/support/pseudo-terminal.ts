import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { main, Program, temporaryDirectory, type Environment } from './program.js';

const found = spawnSync('script', ['--version'], { encoding: 'utf8' });

/** Whether `script` of util-linux is there, which opens a pseudo terminal. */
export const hasPseudoTerminal = found.error === undefined && found.stdout.includes('util-linux');

/** The program on a terminal. Its output arrives in `program.stdout`, stderr too. */
export interface OnTerminal {
  readonly program: Program;
  readonly type: (text: string) => void;
  /** Closes the terminal, as a closed window or a lost ssh connection does. */
  readonly close: () => void;
}

export async function startOnTerminal(
  args: readonly string[],
  env: Environment,
): Promise<OnTerminal> {
  const cwd = await temporaryDirectory();
  // `exec`: the program itself is the session's leader, which gets SIGHUP when the terminal closes.
  const command = `exec '${process.execPath}' '${main}' ${args.join(' ')}`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, TERM: 'xterm', SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const terminal = child as ChildProcessByStdio<Writable, Readable, Readable>;
  const program = new Program(terminal as unknown as ConstructorParameters<typeof Program>[0]);
  onTestFinished(async () => {
    program.kill('SIGKILL');
    await program.exited();
  });
  return {
    program,
    type: (text) => {
      terminal.stdin.write(text);
    },
    close: () => {
      program.kill('SIGKILL');
    },
  };
}
