import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure } from '../db/sqlstate.js';
import { printable } from '../printable.js';

interface Watched {
  readonly stdout: NodeJS.WriteStream;
  readonly signals: { readonly stop: AbortSignal };
}

const intervalMs = 2_000;

/** To the upper left corner, and nothing below it. */
const clearScreen = '\u001b[H\u001b[J';

/**
 * Shows what `show` gives, again and again, in the same place of a terminal or else one after the
 * other, until the process is to stop. What fails is shown too: a database that is away comes back.
 */
export async function watch(
  show: () => Promise<string>,
  { stdout, signals: { stop } }: Watched,
): Promise<void> {
  while (!stop.aborted) {
    const text = await Promise.race([show().catch(toMessage), aborted(stop)]);
    if (text === undefined) return;
    stdout.write(`${stdout.isTTY ? clearScreen : ''}${text}\n${new Date().toISOString()}\n`);
    await sleep(intervalMs, undefined, { signal: stop }).catch(() => undefined);
  }
}

function toMessage(error: unknown): string {
  return `${printable(describeFailure(error))}\n`;
}

/** Resolves with nothing as soon as the process is to stop. */
function aborted(stop: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve(undefined);
    };
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
  });
}
