import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure } from '../db/sqlstate.js';
import { printable } from '../printable.js';

interface Watched {
  readonly stdout: NodeJS.WriteStream;
  readonly signals: { readonly stop: AbortSignal };
}

const intervalMs = 2_000;

/** Moves to the upper left corner and clears the screen. */
const clearScreen = '\u001b[H\u001b[J';

/**
 * Prints the result of `show` every two seconds until the process stops. A terminal shows only the
 * latest one. Prints errors too, because the database may come back.
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

/** Resolves when the process must stop. */
function aborted(stop: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const end = (): void => {
      resolve(undefined);
    };
    if (stop.aborted) end();
    else stop.addEventListener('abort', end, { once: true });
  });
}
