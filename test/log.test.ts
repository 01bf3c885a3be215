import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import type { Config } from '../src/config/config.js';
import { createLog } from '../src/log.js';

/** A pipe whose reader reads only on request. */
class UnreadPipe extends Writable {
  text = '';
  #done: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#done = done;
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.text += Buffer.concat(chunks.map(({ chunk }) => chunk)).toString();
    this.#done = done;
  }

  read(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}

const config = { log: { level: 'info', format: 'json', sql: false } } as unknown as Config;

test('a log without a reader keeps a megabyte, and logs afterwards how many lines it dropped', async () => {
  const pipe = new UnreadPipe();
  const log = await createLog(config, pipe as unknown as NodeJS.WriteStream);
  for (let number = 0; number < 30_000; number++) log.info({ number }, 'a line');
  expect(pipe.writableLength).toBeGreaterThan(1_000_000);
  expect(pipe.writableLength).toBeLessThan(1_100_000);

  const drained = new Promise((resolve) => pipe.once('drain', resolve));
  pipe.read();
  await new Promise(setImmediate);
  pipe.read();
  await drained;
  pipe.read();
  await new Promise(setImmediate);
  const lines = pipe.text.trim().split('\n');
  const last = JSON.parse(lines.at(-1) ?? '') as { level: string; lines: number; msg: string };
  expect(last).toMatchObject({
    level: 'warn',
    msg: `${last.lines} lines were dropped: the log was not read`,
  });
  expect(lines.length - 1 + last.lines).toBe(30_000);
});

test('the pretty log of LOG_SQL shows each statement on lines of its own', async () => {
  const pipe = new UnreadPipe();
  const pretty = { log: { level: 'info', format: 'pretty', sql: true } } as unknown as Config;
  const log = await createLog(pretty, pipe as unknown as NodeJS.WriteStream);
  log.info({ sql: '\nselect 1\nfrom public.a\u001b[2J\n', durationMs: 3, rows: 2 }, 'sql');
  log.info({ job: 'a' }, 'a line');
  expect(pipe.text).toMatch(
    /^\[\d\d:\d\d:\d\d\] INFO: sql \(3 ms, 2 rows\)\n {4}select 1\n {4}from public\.a�\[2J\n/,
  );
});
