import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** The built program, as an operator starts it. */
export const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** How the program names itself in messages: the tests start it in other folders. */
export const programName = `node ${main}`;

/** Far above any expected time: a wait that reaches it has failed. */
const patienceMs = 45_000;

export type Environment = Readonly<Record<string, string>>;

/** One line of the JSON log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly job?: string;
  readonly trigger?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly durationMs?: number;
  readonly statusUrl?: string;
  readonly [field: string]: unknown;
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

interface ProgramOptions {
  readonly env: Environment;
  /** A new directory by default. */
  readonly cwd?: string;
  /** Arguments for Node itself. */
  readonly nodeArgs?: readonly string[];
}

/** Starts the daemon with a JSON log. */
export async function startDaemon(options: ProgramOptions): Promise<Program> {
  const env = { LOG_FORMAT: 'json', STATUS_PORT: '0', ...options.env };
  return startProgram(['start'], { ...options, env });
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: ProgramOptions,
): Promise<Finished> {
  const program = await startProgram(args, options);
  const exit = await program.exited();
  return { ...exit, stdout: program.stdout, stderr: program.stderr };
}

/** Starts the program with only the given environment. */
export async function startProgram(
  args: readonly string[],
  { env, cwd, nodeArgs = [] }: ProgramOptions,
): Promise<Program> {
  const directory = cwd ?? (await temporaryDirectory());
  const child = spawn(process.execPath, [...nodeArgs, main, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const program = new Program(child);
  onTestFinished(async () => {
    program.kill('SIGKILL');
    await program.exited();
  });
  return program;
}

export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'registry-stats-process-')));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A running program, killed at the end of the test. */
export class Program {
  readonly pid: number;
  /** The log lines so far. */
  readonly lines: LogLine[] = [];
  stdout = '';
  stderr = '';
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  #exit: Exit | undefined;

  constructor(child: ChildProcessByStdio<null, Readable, Readable>) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    const changed = (): void => void this.#changes.emit('change');
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"level"')) this.lines.push(JSON.parse(line) as LogLine);
      changed();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      changed();
    });
    child.on('close', (code, signal) => {
      this.#exit = { code, signal };
      changed();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exited(): Promise<Exit> {
    return this.until('an exit', () => this.#exit);
  }

  /** Waits for a line whose message contains this text. */
  untilLine(text: string): Promise<LogLine> {
    return this.until(`"${text}"`, () => this.lines.find(({ msg }) => msg.includes(text)));
  }

  /** Waits until `find` returns a value, after output or the end of the program. */
  async until<Result>(
    what: string,
    find: () => Result | false | undefined,
  ): Promise<Exclude<Result, false>> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (;;) {
      const result = find();
      if (result !== undefined && result !== false) return result as Exclude<Result, false>;
      if (this.#exit !== undefined) throw this.#missed(what);
      try {
        await once(this.#changes, 'change', { signal: deadline });
      } catch {
        throw this.#missed(what);
      }
    }
  }

  #missed(what: string): Error {
    const end = this.#exit === undefined ? 'still running' : JSON.stringify(this.#exit);
    const [stdout, stderr] = [this.stdout, this.stderr].map((text) => text.slice(-3_000));
    return new Error(`expected ${what} of the program (${end})\n… ${stdout}\n… ${stderr}`);
  }
}
