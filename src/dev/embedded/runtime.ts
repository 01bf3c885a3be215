import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { platform } from 'node:os';
import type { PlatformPackage } from './platform-package.js';
import { codeOf } from './unavailable.js';

/** A directory with `bin`, `lib` and `share` that the server's account can enter and execute. */
export interface Runtime {
  dir: string;
  major: string;
}

/**
 * Makes the installed binaries runnable. In place if they can be, else (`mustCopy`: as root;
 * or a node_modules we may not write to) as a copy below `copiesDir`, made once per version.
 */
export async function prepareRuntime(
  found: PlatformPackage,
  copiesDir: string,
  mustCopy: boolean,
): Promise<Runtime> {
  const { nativeDir, label, major } = found;
  if (!mustCopy && (await isRunnable(nativeDir))) return { dir: nativeDir, major };
  const dir = join(copiesDir, label);
  await copyOnce(nativeDir, dir);
  return { dir, major };
}

/** The executable of that name. */
export function executable(runtime: Runtime, name: 'initdb' | 'postgres'): string {
  return join(runtime.dir, 'bin', platform() === 'win32' ? `${name}.exe` : name);
}

/**
 * Creates the links between shared libraries that an npm package cannot contain. The package's
 * own install script does this, but install scripts are often disabled.
 */
export async function hydrateSymlinks(nativeDir: string): Promise<void> {
  // Paths in the list begin with `native/`.
  const inside = (path: string) => join(nativeDir, relative('native', path));
  for (const { source, target } of await listedLinks(nativeDir)) {
    const file = inside(target);
    if (await isThere(file)) continue;
    try {
      await symlink(basename(source), file);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}

async function isRunnable(nativeDir: string): Promise<boolean> {
  try {
    await hydrateSymlinks(nativeDir);
    for (const name of await readdir(join(nativeDir, 'bin'))) {
      await access(join(nativeDir, 'bin', name), constants.X_OK);
    }
    return true;
  } catch {
    return false;
  }
}

async function copyOnce(nativeDir: string, dir: string): Promise<void> {
  if (await isThere(dir)) return;
  await mkdir(dirname(dir), { recursive: true });
  await chmod(dirname(dir), 0o755);
  const draft = `${dir}.new-${randomBytes(4).toString('hex')}`;
  try {
    await cp(nativeDir, draft, { recursive: true, verbatimSymlinks: true });
    await hydrateSymlinks(draft);
    await openToEveryone(draft);
    await rename(draft, dir);
  } catch (error) {
    // Another process was faster: its copy is as good as ours.
    if (!(await isThere(dir))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** npm under a strict umask leaves files that only their owner can read. */
async function openToEveryone(dir: string): Promise<void> {
  await chmod(dir, 0o755);
  const isBin = basename(dir) === 'bin';
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await openToEveryone(path);
    else if (entry.isFile()) await chmod(path, isBin ? 0o755 : 0o644);
  }
}

async function listedLinks(nativeDir: string): Promise<{ source: string; target: string }[]> {
  const list = join(nativeDir, 'pg-symlinks.json');
  if (!(await isThere(list))) return [];
  return JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
