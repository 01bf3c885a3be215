import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeFailure } from '../db/sqlstate.js';
import { printable } from '../printable.js';

interface Watched {
  readonly stdout: NodeJS.WriteStream;
  readonly signals: { readonly stop: AbortSignal };
}

const intervalMs = 2_000;

/**
 * The alternate screen, as pagers use it: what was on the terminal before comes back at the end.
 * Without a cursor, and with long lines cut instead of wrapped.
 */
const enterScreen = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const leaveScreen = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const toUpperLeft = '\u001b[H';
const clearRestOfLine = '\u001b[K';
const clearRestOfScreen = '\u001b[J';

/**
 * Shows the result of `show` every two seconds, and after a change of the window's size, until the
 * process stops. Shows errors too, because the database may come back. Other streams than a
 * terminal get one result after the other.
 */
export async function watch(
  show: () => Promise<string>,
  { stdout, signals: { stop } }: Watched,
): Promise<void> {
  const isScreen = stdout.isTTY;
  if (isScreen) stdout.write(enterScreen);
  try {
    while (!stop.aborted) {
      const text = await unlessStopped(show().catch(toMessage), stop);
      if (text === undefined) return;
      const page = `${text}\n${new Date().toISOString().slice(11, 19)} UTC; Ctrl-C ends this.\n`;
      stdout.write(isScreen ? toScreen(page, stdout.rows) : page);
      await nextTurn(stdout, stop);
    }
  } finally {
    if (isScreen) stdout.write(leaveScreen);
  }
}

/** Draws over the last text, so that nothing flickers. Lines below the window are left out. */
function toScreen(page: string, rows: number): string {
  const lines = page.trimEnd().split('\n');
  const shown = rows > 0 ? lines.slice(0, rows) : lines;
  const separator = `${clearRestOfLine}\r\n`;
  return `${toUpperLeft}${shown.join(separator)}${clearRestOfLine}${clearRestOfScreen}`;
}

/** Waits for the interval, a new size of the window, or a stop request. */
async function nextTurn(stdout: NodeJS.WriteStream, stop: AbortSignal): Promise<void> {
  const turn = new AbortController();
  const signal = AbortSignal.any([stop, turn.signal]);
  const interval = sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  await Promise.race([interval, resized(stdout, signal)]);
  turn.abort();
}

function resized(stdout: NodeJS.WriteStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stdout.off('resize', end);
      resolve();
    };
    stdout.once('resize', end);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Resolves to undefined if the process must stop before `work` ends. */
async function unlessStopped<Result>(
  work: Promise<Result>,
  stop: AbortSignal,
): Promise<Result | undefined> {
  const done = new AbortController();
  const stopped = once(stop, 'abort', { signal: done.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([work, stopped]);
  } finally {
    done.abort();
  }
}

function toMessage(error: unknown): string {
  return `${printable(describeFailure(error))}\n`;
}
