import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { run } from '../src/cli.js';
import type { Invocation } from '../src/commands/invocation.js';
import { AppError } from '../src/errors.js';
import { exitCodes } from '../src/exit-codes.js';
import { settingKeys } from '../src/config/settings.js';
import { loadFixtures } from '../src/dev/fixtures.js';
import { loadCsv } from './support/load-csv.js';
import { asOrdinaryUser } from './support/ordinary-user.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

/** `npm run test:hostile` sets more. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 200);
const parameters = {
  numRuns,
  ...(process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }),
};
const timeout = 60_000 + numRuns * 100;

let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'registry-stats-hostile-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Nothing listens on port 1, so a connection to the database fails. */
const settings = {
  APT_ENV: 'test',
  SSM_PATH: 'none',
  DB_HOST: '127.0.0.1',
  DB_PORT: '1',
  DB_NAME: 'registry',
  DB_USER: 'stats',
  STATUS_PORT: '1',
};

/** Runs the command in this process. Thousands of starts would take minutes. */
async function runHere(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
  const texts = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof texts): NodeJS.WriteStream =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        texts[name] += chunk.toString();
        done();
      },
    }) as unknown as NodeJS.WriteStream;
  const stop = new AbortController();
  // A daemon started by random arguments must end at once.
  if (args.includes('start')) stop.abort('SIGTERM');
  const invocation: Invocation = {
    env,
    cwd,
    pid: process.pid,
    program: 'registry-stats',
    stdin: new PassThrough() as unknown as NodeJS.ReadStream,
    stdout: collect('stdout'),
    stderr: collect('stderr'),
    signals: { stop: stop.signal, bind: () => undefined },
  };
  return { code: await run(args, invocation), ...texts };
}

const documented: ReadonlySet<number> = new Set(Object.values(exitCodes));
/** Control characters except line feed. */
const control = /[^\P{Cc}\n]/u;
const secret = 'pw-§-pw';

/** Expects one readable message: no stack, no secret, no control characters, limited length. */
function expectClear({ code, stdout, stderr }: Ended): void {
  expect(documented).toContain(code);
  expect(code).not.toBe(exitCodes.failure);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr === '').toBe(code === exitCodes.ok);
  expect(stderr.length).toBeLessThan(10_000);
  for (const text of [stdout, stderr]) {
    expect(text).not.toContain(secret);
    expect(text).not.toMatch(control);
  }
}

const commandNames = ['start', 'refresh', 'status', 'verify', 'rebuild', 'migrate', 'uninstall'];
const options = ['--json', '--help', '-h', '--version', '-V', '--', '-', '--repair'];
const valued = [
  '--since',
  '--confirm',
  '--fixtures',
  '--sample-data',
  '--status',
  '--dry-run',
  '--yes',
];
/** Arguments and environment cannot contain NUL. */
const text = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\u001b[2J\u001b]0;title\u0007', '\u202e', '=', '--json=', '\ud800', ' '),
    fc.integer({ min: 1_000, max: 100_000 }).map((length) => '§'.repeat(length)),
  )
  .map((string) => string.replace(/\0|\p{Surrogate}/gu, ''));
const argument = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...commandNames, 'reset', 'config', 'health', 'help') },
  { weight: 3, arbitrary: fc.constantFrom(...options, ...valued, 'history', 'update_counts') },
  text,
  text.map((string) => `--${string}`),
);

test(
  `${String(numRuns)} random command lines end with one clear message`,
  { timeout },
  async () => {
    const env = { ...settings, DB_PASSWORD: secret };
    await fc.assert(
      fc.asyncProperty(fc.array(argument, { maxLength: 8 }), async (args) => {
        expectClear(await runHere(args, env));
      }),
      parameters,
    );
  },
);

const setting = fc.oneof(text, fc.constantFrom('true', '5', '5s', 'db', '* * * * *', 'test'));
const environment = fc
  .dictionary(fc.constantFrom(...settingKeys), setting, { noNullPrototype: true })
  .map((env) => ({ ...env, SSM_PATH: 'none', DB_PASSWORD: secret }));

test(`${String(numRuns)} random environments: JSON or one clear message`, { timeout }, async () => {
  await fc.assert(
    fc.asyncProperty(environment, async (env) => {
      const ended = await runHere(['config', '--json'], env);
      expectClear(ended);
      expect([exitCodes.ok, exitCodes.settings]).toContain(ended.code);
      if (ended.code === exitCodes.ok) {
        const { settings: shown } = JSON.parse(ended.stdout) as { settings: unknown[] };
        expect(shown).toHaveLength(settingKeys.length);
      } else expect(ended.stdout).toBe('');
      expectClear(await runHere(['config'], env));
    }),
    parameters,
  );
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .constantFrom('\ufeff', 'DB_PORT=5\r\n', 'DB_PORT="', '\n', '=', '#', 'export ', "DB_NAME='")
    .map((part) => Buffer.from(part)),
  fc.constantFrom(65_535, 65_536, 65_537).map((size) => Buffer.alloc(size, '#')),
);

test(
  `${String(numRuns)} random .env files: settings or one clear message`,
  { timeout },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), async (parts) => {
        const password = Buffer.from(`\nDB_PASSWORD=${secret}\n`);
        await writeFile(path.join(cwd, '.env'), Buffer.concat([...parts, password]));
        const ended = await runHere(['config', '--json'], { SSM_PATH: 'none' });
        // A name that is almost a setting is a warning.
        const stderr = ended.stderr.replace(
          /^\.env: \S+ is not a setting; did you mean .*\n/gm,
          '',
        );
        expectClear({ ...ended, stderr });
        expect([exitCodes.ok, exitCodes.settings]).toContain(ended.code);
        if (ended.code === exitCodes.ok) JSON.parse(ended.stdout);
      }),
      parameters,
    );
  },
);

test.each<[what: string, found: string, make: (file: string) => Promise<unknown> | Buffer]>([
  ['a directory', 'a directory', (file) => mkdir(file)],
  ['a link to a directory', 'a directory', (file) => symlink('/tmp', file)],
  ['a named pipe', 'something that is not a file', (file) => execFileSync('mkfifo', [file])],
  ['a device', 'something that is not a file', (file) => symlink('/dev/zero', file)],
  ['a link to itself', 'ELOOP on reading it', (file) => symlink(file, file)],
])('%s instead of a .env file is refused, without a wait', async (_what, found, make) => {
  await make(path.join(cwd, '.env'));
  const ended = await runHere(['config'], {});
  expectClear(ended);
  expect(ended.stderr).toContain(
    `.env: expected a readable UTF-8 text file of at most 64 KiB with lines KEY=value, found ${found}\n`,
  );
});

test('an unreadable .env file is refused', async () => {
  const file = path.join(cwd, '.env');
  await writeFile(file, '');
  const stderrAsUser = (): Promise<string> =>
    asOrdinaryUser([cwd, file], async () => (await runHere(['config'], {})).stderr);
  await runHere(['config'], {});

  // The folder is readable: the refusal below is about the file.
  expect(await stderrAsUser()).not.toContain('EACCES');
  await chmod(file, 0);
  expect(await stderrAsUser()).toContain('found EACCES on reading it\n');
});

const header = 'id,generic_file_id,url\n';
const csv = fc
  .array(
    fc.oneof(
      fc.constantFrom(header, '1,1,x\n', '"', '""', ',', '\n', '\r', '\r\n', '\0', '\\.', '\\.\n'),
      fc.constantFrom('id', '9', '-1', '99999999999999999999', '\ufeff', '\u001b[2J', "'; drop"),
      fc.constantFrom(100, 100_000).map((size) => 'x'.repeat(size)),
      fc.string({ unit: 'binary' }),
      fc.uint8Array({ maxLength: 20 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part as string))));

/** Loads these files and rolls back. */
async function tryFixtures({ database }: TestDatabase): Promise<unknown> {
  const timeouts = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };
  return database
    .write(timeouts, async (transaction) => {
      await loadFixtures(transaction, cwd);
      throw new Error('loaded');
    })
    .catch((error: unknown) => error);
}

function expectRefusal(error: unknown, message: RegExp): void {
  if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
  expect(error.code).toBe('FIXTURE_INVALID');
  expect(error.message).toMatch(message);
}

test(
  `${String(numRuns)} random fixtures: rows or a refusal that names the file`,
  { timeout },
  async () => {
    const target = await createTestDatabase();
    await loadCsv(target.database);
    const file = path.join(cwd, 'storage_records.csv');
    await fc.assert(
      fc.asyncProperty(fc.boolean(), csv, async (hasHeader, content) => {
        await writeFile(file, hasHeader ? Buffer.concat([Buffer.from(header), content]) : content);
        const result = await tryFixtures(target);
        if (result instanceof Error && result.message === 'loaded') return;
        expectRefusal(result, /storage_records\.csv(:\d+)?: /);
        const { message } = result as AppError;
        expect(message.length).toBeLessThan(2_000);
        expect(message).not.toMatch(control);
      }),
      parameters,
    );
  },
);

test.each<[what: string, found: RegExp, make: (file: string) => Promise<unknown> | Buffer]>([
  ['a directory', /found a directory/, (file) => mkdir(file)],
  ['a named pipe', /found something else/, (file) => execFileSync('mkfifo', [file])],
  ['a link out of the folder', /found a symbolic link/, (file) => symlink('/etc/passwd', file)],
  ['a link to a device', /found a symbolic link/, (file) => symlink('/dev/zero', file)],
  ['a link to nothing', /found a symbolic link/, (file) => symlink('nowhere', file)],
  [
    'nothing in it',
    /expected a header row of column names, found ""/,
    (file) => writeFile(file, ''),
  ],
  ['a NUL', /invalid byte sequence/, (file) => writeFile(file, `${header}1,1,a\0b\n`)],
  [
    'another encoding',
    /invalid byte sequence/,
    (file) => writeFile(file, Buffer.from(`${header}1,1,\xe9\n`, 'latin1')),
  ],
  ['UTF-16', /found "�/, (file) => writeFile(file, Buffer.from(`\ufeff${header}`, 'utf16le'))],
  [
    'a byte order mark',
    /column name mismatch in header line field 1/,
    (file) => writeFile(file, `\ufeff${header}`),
  ],
  ['a column twice', /specified more than once/, (file) => writeFile(file, 'id,id\n1,1\n')],
  [
    'a quote that is not closed',
    /unterminated CSV quoted field/,
    (file) => writeFile(file, `${header}1,1,"a\n2`),
  ],
  [
    'more columns',
    /extra data after last expected column/,
    (file) => writeFile(file, `${header}1,1,a,b\n`),
  ],
])('a fixture that is %s is refused', async (_what, found, make) => {
  const target = await createTestDatabase();
  await make(path.join(cwd, 'storage_records.csv'));
  const error = await tryFixtures(target);
  expectRefusal(error, found);
  expectRefusal(error, /storage_records\.csv/);
});

/** Starts another program on the daemon's port; returns the port. */
async function respondWith(next: () => { status: number; body: string }): Promise<string> {
  const server = createServer((_request, response) => {
    const { status, body } = next();
    response.writeHead(status, { location: '/live' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return String((server.address() as AddressInfo).port);
}

const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('live', '\u001b[2J', '\u202e', 'x'.repeat(50_000)),
);
const anyResponse = fc.record({
  status: fc.constantFrom(200, 204, 302, 404, 500, 503),
  body: fc.oneof(
    fc.json({ noUnicodeString: false }),
    fc.string(),
    fc
      .record({ status: anyValue, reason: anyValue }, { requiredKeys: [] })
      .map((body) => JSON.stringify(body)),
  ),
});

test(
  `${String(numRuns)} random responses of another program: health reports it`,
  { timeout },
  async () => {
    let response = { status: 200, body: '' };
    const STATUS_PORT = await respondWith(() => response);
    await fc.assert(
      fc.asyncProperty(anyResponse, async (given) => {
        response = given;
        const ended = await runHere(['health'], { ...settings, STATUS_PORT });
        expectClear(ended);
        expect([exitCodes.ok, exitCodes.unhealthy]).toContain(ended.code);
      }),
      parameters,
    );
  },
);

test('status does not accept the response of another program', async () => {
  const target = await createTestDatabase();
  let body = '';
  const STATUS_PORT = await respondWith(() => ({ status: 200, body }));
  for (body of ['null', '[]', '{}', '{"version":1}', '{"version":1,"jobs":{}}', '<html>']) {
    const { stdout } = await runHere(['status', '--json'], { ...target.env, STATUS_PORT });
    expect([body, JSON.parse(stdout)]).toMatchObject([body, { daemon: null }]);
  }
});

test('hostile names, also in the database, keep the JSON valid', async () => {
  const target = await createTestDatabase();
  await loadCsv(target.database);
  const name = `"}],\u001b[2J\n\u2028'\\ü`;
  await target.query('update public.institutions set name = $1 || id', [name]);
  await target.query('update public.work_items set action = $1', [name]);
  await target.query('update public.generic_files set storage_option = left($1, 20)', [name]);
  const json = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await runHere([...args, '--json'], target.env);
    return JSON.parse(stdout);
  };
  await json('refresh');
  await target.query('update registry_stats.count_rollup set row_count = row_count + 1');
  expect(await json('status')).toMatchObject({ statistics: { pendingChanges: 0 } });
  const { differences } = (await json('verify')) as { differences: { key: string }[] };
  expect(differences.some(({ key }) => key.includes(name))).toBe(true);
  const repaired = (await json('verify', '--repair')) as { differences: []; repaired: unknown[] };
  expect([repaired.differences, repaired.repaired.length]).toEqual([[], differences.length]);
  await json('rebuild');
  await json('migrate', '--status');
  await json('migrate', '--dry-run');
  await json('migrate');
  await json('config');
  expectClear(await runHere(['status'], target.env));
  expect((await runHere(['migrate', '--status'], target.env)).stdout).not.toMatch(control);
  const print = await runHere(['migrate', '--print', '--json'], target.env);
  expect([print.code, print.stdout]).toEqual([exitCodes.usage, '']);
});
