import { createContext, type Context } from '../context.js';
import { printableJson, printableLines } from '../printable.js';
import type { Signals } from '../daemon/signals.js';

/** The parts of the process that commands use. Nothing else reads or writes them. */
export interface Invocation {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly pid: number;
  /** What starts this program here, such as `node dist/main.js`. */
  readonly program: string;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signals: Signals;
}

/**
 * Runs `work` with a context, and always releases the context. Only a command that fills a database
 * may create one.
 */
export async function withContext<Result>(
  invocation: Invocation,
  work: (context: Context) => Promise<Result>,
  { mayCreateDatabase = false } = {},
): Promise<Result> {
  const context = await createContext({
    env: invocation.env,
    cwd: invocation.cwd,
    output: invocation.stderr,
    signal: invocation.signals.stop,
    onProgress: progressTo(invocation),
    mayCreateDatabase,
    program: invocation.program,
  });
  try {
    return await work(context);
  } finally {
    await context.release();
  }
}

/** Returns a function that writes progress to stderr, so stdout stays parseable. */
export function progressTo({ stderr }: Pick<Invocation, 'stderr'>): (message: string) => void {
  return (message) => {
    stderr.write(`${printableLines(message)}\n`);
  };
}

/** The version of the JSON documents. It grows when a field changes its meaning or is removed. */
const documentVersion = 1;

/** Prints a document for programs; docs/json.md describes each. */
export function printJson(
  { stdout }: Pick<Invocation, 'stdout'>,
  fields: Readonly<Record<string, unknown>>,
): void {
  const document = { version: documentVersion, ...fields };
  stdout.write(`${printableJson(JSON.stringify(document, null, 2))}\n`);
}
