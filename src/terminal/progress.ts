import { formatBytes } from './format-bytes.js';
import type { Progress, ProgressUnit } from '../progress.js';
import { cut, widthOf } from './width.js';

/** Moves to the start of the line and clears it. */
const clearLine = '\r\u001b[K';

/** PostgreSQL's default block size, for the estimated speed only. */
const bytesOfBlock = 8192;

/**
 * Returns a function that shows progress, speed and time left on one line of a terminal. It prints
 * nothing elsewhere.
 */
export function progressLineTo({ stderr }: { readonly stderr: NodeJS.WriteStream }) {
  let start = performance.now();
  return (progress: Progress): void => {
    if (!stderr.isTTY || progress.total === 0) return;
    const { subject, done, total } = progress;
    if (done === 0) start = performance.now();
    const text = `${subject}: ${describeProgress(progress, performance.now() - start)}`;
    stderr.write(`${clearLine}${fit(text, stderr)}${done >= total ? '\n' : ''}`);
  };
}

/** Returns the same for a sequence of tables, with a line for each. */
export function comparisonLineTo({ stderr }: { readonly stderr: NodeJS.WriteStream }) {
  const start = performance.now();
  return (progress: Progress): void => {
    const text = `verifying ${progress.subject}`;
    if (!stderr.isTTY) stderr.write(`${text}\n`);
    else {
      const line = `${text}: ${describeProgress(progress, performance.now() - start)}`;
      stderr.write(`${fit(line, stderr)}\n`);
    }
  };
}

/** Shortens a line that would wrap: the next one would clear only its last part. */
function fit(line: string, stderr: NodeJS.WriteStream): string {
  return cut(line, widthOf(stderr) - 1);
}

/** Returns text like "45 %, 124 MiB/s, 12 s left". */
export function describeProgress({ done, total, unit }: Progress, elapsedMs: number): string {
  const percent = `${total === 0 ? 100 : Math.floor((100 * done) / total)} %`;
  if (done === 0 || elapsedMs === 0) return percent;
  const perSecond = (1000 * done) / elapsedMs;
  const isDone = done >= total;
  return [
    percent,
    ...describeSpeed[unit](perSecond),
    ...(isDone ? [] : [`${duration((total - done) / perSecond)} left`]),
  ].join(', ');
}

const describeSpeed: Readonly<Record<ProgressUnit, (perSecond: number) => string[]>> = {
  blocks: (blocks) => [`${formatBytes(blocks * bytesOfBlock)}/s`],
  rows: (rows) => [`${rounded(rows)} rows/s`],
  // Some take much longer than others.
  indexes: () => [],
};

function rounded(number: number): string {
  return Number(number.toPrecision(2)).toLocaleString('en-US');
}

function duration(seconds: number): string {
  return seconds < 120 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
