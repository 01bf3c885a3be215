import { Writable } from 'node:stream';
import { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
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
  columns = 80;
  rows = 24;
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

const enterScreen = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const leaveScreen = '\u001b[?7h\u001b[?25h\u001b[?1049l';

function watchStatus(env: NodeJS.ProcessEnv) {
  const stop = new AbortController();
  const stdout = terminal();
  const signals = { stop: stop.signal, bind: () => undefined };
  const invocation = { env, cwd: '/', ...started, stdout, stderr: pipe(), signals };
  const ended = run(['status', '--watch'], invocation);
  const screens = (): string[] => stdout.text.split('\u001b[H').slice(1);
  const lines = (): string[] =>
    (screens().at(-1) ?? '').split('\u001b[K').map((line) => line.trim());
  return { stdout, stop, ended, screens, lines };
}

test('status --watch redraws the alternate screen until Ctrl-C, in colours, and restores the screen', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const env = { ...target.env, STATUS_PORT: '1' };
  const { stdout, stop, ended, screens, lines } = watchStatus(env);
  await vi.waitFor(() => {
    expect(screens().length).toBeGreaterThan(1);
  }, 20_000);
  expect(lines()).toContainEqual(expect.stringMatching(/^Pending changes +[1-9]\d*$/));
  const signals = { stop: stop.signal, bind: () => undefined };
  const quiet = { cwd: '/', ...started, stdout: pipe(), stderr: pipe(), signals };
  expect(await run(['refresh', 'update_counts'], { env, ...quiet })).toBe(0);
  await target.query('truncate public.work_items cascade');
  await vi.waitFor(() => {
    expect(lines()[0]).toBe('\u001b[33mwork_items must be repaired.\u001b[39m');
  }, 20_000);
  expect(lines()).toContainEqual(expect.stringMatching(/^Counts +\u001b\[32mfresh\u001b\[39m /));
  stop.abort('SIGINT');

  expect(await ended).toBe(0);
  expect(stdout.text.startsWith(`${enterScreen}\u001b[H`)).toBe(true);
  expect(stdout.text.endsWith(leaveScreen)).toBe(true);
});

test('status --watch follows the size of the window, and never draws below it', async () => {
  const target = await createTestDatabase('migrated');
  const { stdout, stop, ended, screens, lines } = watchStatus({ ...target.env, STATUS_PORT: '1' });
  await vi.waitFor(() => {
    expect(screens().length).toBe(1);
  }, 20_000);
  expect(lines().length).toBeGreaterThan(6);
  Object.assign(stdout, { columns: 30, rows: 6 });
  stdout.emit('resize');
  // Sooner than the interval of two seconds.
  await vi.waitFor(() => {
    expect(screens().length).toBe(2);
  }, 1_500);
  expect(screens().at(-1)?.match(/\r\n/g)).toHaveLength(5);
  expect(stripVTControlCharacters(lines()[0] ?? '').length).toBeLessThanOrEqual(30);
  stop.abort('SIGINT');
  expect(await ended).toBe(0);
});

test('status fits into 80 columns: one line for each job, whatever its reason', async () => {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  const long = 'could not extend file "base/16384/16397": No space left on device (53100)';
  await target.query(
    `update registry_stats.job
    set outcome = 'failed', reason = $1, consecutive_failures = 2, last_check = now()`,
    [long],
  );
  for (const args of [['status'], ['status', '--utc']]) {
    const stdout = terminal({ NO_COLOR: '1' });
    const signals = { stop: new AbortController().signal, bind: () => undefined };
    const env = { ...target.env, STATUS_PORT: '1' };
    expect(await run(args, { env, cwd: '/', ...started, stdout, stderr: pipe(), signals })).toBe(0);
    const lines = stdout.text.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const table = lines.filter((line) => /^(Counts|Current deposits|Deposit history) /.test(line));
    expect(table.map((line) => line.slice(-1))).toEqual(['…', '…', '…']);
    // The verdict has the whole reason, on several lines.
    expect(stdout.text.replaceAll('\n', ' ')).toContain(long);
  }
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
