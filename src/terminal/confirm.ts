import { createInterface } from 'node:readline';
import { AppError } from '../errors.js';
import { printableLines } from '../printable.js';

interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signals: { readonly stop: AbortSignal };
}

/**
 * Prints what a command would lose, and asks on a terminal whether to continue.
 * @throws AppError NOT_CONFIRMED after any reply but "yes", and where there is no terminal
 */
export async function confirmLoss(
  loss: string,
  { isConfirmed }: { readonly isConfirmed: boolean },
  terminal: Terminal,
): Promise<void> {
  const { stdin, stderr } = terminal;
  stderr.write(`${printableLines(loss)}\n`);
  if (isConfirmed) return;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new AppError('NOT_CONFIRMED', 'expected --yes, found no terminal to ask on', {
      hint: 'nothing was changed; add --yes if this may be lost',
    });
  }
  const reply = await ask('Type yes to continue: ', terminal);
  if (reply === 'yes') return;
  throw new AppError('NOT_CONFIRMED', 'expected the reply yes, found another one', {
    hint: 'nothing was changed',
  });
}

/** Returns the next line. Returns nothing at the end of the input, and when the process must stop. */
function ask(prompt: string, { stdin, stderr, signals }: Terminal): Promise<string> {
  stderr.write(prompt);
  // Without line editing, Ctrl-C remains a signal.
  const lines = createInterface({ input: stdin, terminal: false });
  const close = (): void => {
    lines.close();
  };
  signals.stop.addEventListener('abort', close, { once: true });
  return new Promise((resolve) => {
    lines.once('close', () => {
      signals.stop.removeEventListener('abort', close);
      resolve('');
    });
    lines.once('line', (line) => {
      resolve(line.trim());
      close();
    });
    if (signals.stop.aborted) close();
  });
}
