import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { expect, test, vi } from 'vitest';
import { run } from '../src/cli.js';
import { createPaint } from '../src/terminal/paint.js';
import { loadCsv } from './support/load-csv.js';
import { createTestDatabase } from './support/test-database.js';

/** Node's own rules, which read only the environment. */
const rules = Object.create(WriteStream.prototype) as WriteStream;

/** A stream with the properties of a colour terminal. */
class Terminal extends Writable {
  readonly isTTY = true;
  text = '';
  getColorDepth(env?: object): number {
    return rules.getColorDepth(env);
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function terminal(
  environment: Record<string, string | undefined> = {},
): Terminal & NodeJS.WriteStream {
  const clean = {
    CI: undefined,
    FORCE_COLOR: undefined,
    NO_COLOR: undefined,
    NODE_DISABLE_COLORS: undefined,
  };
  for (const [name, value] of Object.entries({
    ...clean,
    TERM: 'xterm-256color',
    ...environment,
  })) {
    vi.stubEnv(name, value);
  }
  return new Terminal() as unknown as Terminal & NodeJS.WriteStream;
}

function pipe(): NodeJS.WriteStream {
  return Object.assign(new Terminal(), { isTTY: false }) as unknown as NodeJS.WriteStream;
}

const started = { pid: 1, program: 'registry-stats', stdin: process.stdin };

test('status --watch redraws until Ctrl-C, with pending changes, in colours', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const stop = new AbortController();
  const stdout = terminal();
  const signals = { stop: stop.signal, bind: () => undefined };
  const stderr = pipe();
  const env = { ...target.env, STATUS_PORT: '1' };
  const watching = run(['status', '--watch'], {
    env,
    cwd: '/',
    ...started,
    stdout,
    stderr,
    signals,
  });
  const screens = (): string[] => stdout.text.split('\u001b[H\u001b[J').slice(1);
  await vi.waitFor(() => {
    expect(screens().length).toBeGreaterThan(1);
  }, 20_000);
  const quiet = { cwd: '/', ...started, stdout: pipe(), stderr, signals };
  expect(await run(['refresh', 'update_counts'], { env, ...quiet })).toBe(0);
  await target.query('truncate public.work_items cascade');
  await vi.waitFor(() => {
    expect(screens().at(-1)).toMatch(
      /\u001b\[33mwork_items must be repaired\.\u001b\[39m\nwork_items: /,
    );
  }, 20_000);
  stop.abort('SIGINT');

  expect(await watching).toBe(0);
  expect(screens()[0]).toMatch(/^pending changes: [1-9]\d*$/m);
  expect(screens().at(-1)).toMatch(/^update_counts +\u001b\[32mfresh\u001b\[39m /m);
});

test('job states are coloured, unless colours are unwanted or unsupported', () => {
  const paint = createPaint(terminal());
  expect(['fresh', 'failing', 'held back'].map((word) => paint.state(word))).toEqual([
    '\u001b[32mfresh\u001b[39m',
    '\u001b[31mfailing\u001b[39m',
    '\u001b[33mheld back\u001b[39m',
  ]);
  expect(paint.state('not run yet')).toBe('not run yet');
  expect(createPaint(terminal({ NO_COLOR: '1' })).state('failing')).toBe('failing');
  expect(createPaint(terminal({ TERM: 'dumb' })).warn('untrusted')).toBe('untrusted');
  expect(createPaint(pipe()).state('failing')).toBe('failing');
});
